"""What a checkpoint holds besides variables to look things up in: put into a model, and compared after a load.

Hash tables are in a TensorFlow checkpoint, vocabularies of lookup layers beside the weights of a `.keras` file.

Source: tensorflow/python/ops/lookup_ops.py `MutableHashTable`, `DenseHashTable`; keras/src/layers/preprocessing/
index_lookup.py `save_assets`, `load_assets`.
"""

import collections
import os
import zipfile

import numpy as np
import tensorflow as tf

from .. import private_names
from ..describers import object_graph
from ..readers import archive


class Tables:
    """The hash tables of a file, each with that of a root which is to hold its content.

    Args:
        root: a `saving.Root`, which gets those that were beside the model.
        entries: [{"name", "prefix": where the file keeps it, "edges" that lead to it in the root, "beside"}].
        stored: the `values.Values` of the file.
    """

    def __init__(self, root, entries, stored):
        self._contents, self._tables = {}, {}
        for entry in entries:
            keys, values = self._contents[entry["name"]] = stored.table(entry["prefix"])
            if entry["beside"]:
                table = _made(keys, values)
                root.attach(entry["edges"], table)
            else:
                table = find(root.model, entry["edges"])
            self._tables[entry["name"]] = table

    def fill(self):
        """Gives each table what the file holds; errors as `write`."""
        for name, table in self._tables.items():
            write(table, *self._contents[name])

    def empty(self):
        """Takes from each table what it is not to hold before a load."""
        for table in self._tables.values():
            if not _has_empty_key(table):
                keys, values = read(table)
                write(table, keys[:0], values[:0])

    def wrong(self):
        """The names of the tables that hold something else than the file does."""
        return [name for name, table in self._tables.items() if _rows(*read(table)) != _rows(*self._contents[name])]

    def __len__(self):
        return len(self._tables)


def find(model, edges):
    """The table that edges lead to.

    Raises:
        ValueError: there is none, or none that can be read.
    """
    value = object_graph.start(model)
    for edge in edges:
        value = dict(private_names.children(value)).get(edge)
    if not (hasattr(value, "export") and hasattr(value, "resource_handle")):
        raise ValueError(f"the model that was built has no hash table at {'/'.join(edges)}")
    return value


def read(table):
    """(keys, values) of a table."""
    if not tf.executing_eagerly():
        raise ValueError("hash tables of a model without eager execution are not carried across")
    return tuple(np.asarray(part) for part in table.export())


def write(table, keys, values):
    """Gives a table a content in place of its own.

    Raises:
        tf.errors.OpError: it is a table of other types.
    """
    tf.raw_ops.LookupTableImportV2(
        table_handle=table.resource_handle,
        keys=tf.constant(keys, table.key_dtype),
        values=tf.constant(values, table.value_dtype),
    )


def vocabularies(path):
    """{address of a lookup layer: its vocabulary} in a `.keras` file, or in what was unzipped from one."""
    found = {}
    if os.path.isdir(path):
        for folder, _, names in os.walk(path):
            for name in names:
                member = os.path.relpath(os.path.join(folder, name), path).replace(os.sep, "/")
                if (address := archive.vocabulary_of(member)) is not None:
                    with open(os.path.join(folder, name), "rb") as file:
                        found[address] = file.read()
    else:
        with zipfile.ZipFile(path) as opened:
            for member in opened.namelist():
                if (address := archive.vocabulary_of(member)) is not None:
                    found[address] = opened.read(member)
    return found


def put_vocabularies(path, chosen):
    """Replaces vocabularies in a `.keras` file, or an unzipped one, that was saved just now.

    Args:
        chosen: {address: vocabulary}.

    Raises:
        ValueError: it has none at one of the addresses.
    """
    missing = sorted(set(chosen) - set(vocabularies(path)))
    if missing:
        raise ValueError(f"the model that was built keeps no vocabulary at {missing[0]}")
    members = {archive.vocabulary_at(address): content for address, content in chosen.items()}
    if os.path.isdir(path):
        for member, content in members.items():
            with open(os.path.join(path, *member.split("/")), "wb") as file:
                file.write(content)
        return
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(f"{path}.made", "w") as new:
        for info in old.infolist():
            new.writestr(info, members.get(info.filename, old.read(info)), info.compress_type)
    os.replace(f"{path}.made", path)


def _made(keys, values):
    """An empty table for what a checkpoint held beside the model.

    Raises:
        ValueError: a table of fixed buckets, which marks the free ones by a key that is not in the file.
    """
    if len(np.unique(keys, axis=0)) < len(keys):
        raise ValueError("it holds a DenseHashTable beside the model, which cannot be made again from the file alone")
    kinds = [tf.string if part.dtype.kind in "OSU" else tf.as_dtype(part.dtype) for part in (keys, values)]
    return tf.lookup.experimental.MutableHashTable(*kinds, tf.zeros(values.shape[1:], kinds[1]))


def _has_empty_key(table):
    return isinstance(table, tf.lookup.experimental.DenseHashTable)


def _rows(keys, values):
    """What a table answers: the free buckets of one with an empty key, which are all alike, are no answers."""
    pairs = [(repr(key), repr(value)) for key, value in zip(keys.tolist(), values.tolist())]
    times = collections.Counter(key for key, _ in pairs)
    return {key: value for key, value in pairs if times[key] == 1}
