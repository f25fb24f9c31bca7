"""Hash tables of a witness: in which of them what was saved of one arrives.

Each gets two keys of its own before it is saved, and has them no longer when what the model computes is compared. With
a single key TensorFlow ends the process where a DenseHashTable is to take it from a MutableHashTable.
"""

import zlib

import numpy as np
import tensorflow as tf

from ..describers import object_graph


def marked(root):
    """Gives each hash table of a root keys that no other one has.

    Returns:
        {its address in a checkpoint: the keys}; tables of a kind whose keys cannot be chosen are not there.
    """
    found = {}
    for address, table in _tables(root):
        key = _key(table, address)
        if key is None:
            continue
        try:
            table.insert(key, tf.zeros_like(table.lookup(key)))
        except (tf.errors.OpError, ValueError):  # its keys are rows of several numbers
            continue
        found[address] = key.numpy()
    return found


def unmarked(root, marks):
    """Takes the keys away again, wherever they are."""
    for _, table in _tables(root) if marks else ():
        keys = table.export()[0].numpy()
        for key in marks.values():
            if _holds(table, keys, key):
                table.remove(tf.constant(key, table.key_dtype))


def lost(root, marks):
    """The addresses of saved tables whose content no table of a root has got."""
    got = [(table, table.export()[0].numpy()) for _, table in _tables(root)] if marks else []
    return sorted(address for address, key in marks.items() if not any(_holds(table, keys, key) for table, keys in got))


def _tables(root):
    """(address, table) of those whose content a checkpoint keeps; none without eager execution."""
    if isinstance(root, tf.Graph) or not tf.executing_eagerly():
        return []
    try:
        objects, children = object_graph.traverse(object_graph.start(root))
    except (ValueError, NotImplementedError):  # what cannot be saved at all
        return []
    names = {id(objects[0]): ""}
    for value, named in zip(objects, children):
        for edge, child in named:
            above = names[id(value)]
            names.setdefault(id(child), f"{above}/{edge}" if above else edge)
    kinds = tf.lookup.experimental.MutableHashTable, tf.lookup.experimental.DenseHashTable
    return [(names[id(value)], value) for value in objects if isinstance(value, kinds)]


def _key(table, address):
    number = zlib.crc32(address.encode())
    if table.key_dtype == tf.string:
        return tf.constant([f"restore-guard {number}", f"restore-guard {number} too"])
    numbers = [number % 2**31, (number + 1) % 2**31]
    return tf.constant(numbers, table.key_dtype) if table.key_dtype in (tf.int32, tf.int64) else None


def _holds(table, keys, key):
    return (table.key_dtype == tf.string) == (key.dtype.kind in "OSU") and bool(np.isin(key, keys).any())
