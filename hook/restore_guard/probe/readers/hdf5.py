"""HDF5 files of Keras: `.weights.h5`, and the legacy layout of `.h5`.

Source: keras/src/saving/saving_lib.py `H5IOStore`; keras/src/legacy/saving/legacy_h5_format.py.
HDF5 as Keras writes it keeps no checksum. What contradicts itself is found; a changed value cannot be.
"""

import collections
import contextlib
import os
import struct

import h5py
import numpy as np
import tensorflow as tf

from .. import failures

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SLAB = 1 << 26
_OPTIMIZER = "optimizer_weights"
_TOP = "top_level_model_weights"


def read_weights(path, contents):
    """A `.weights.h5`."""
    contents.kind = "weights-h5"
    _read(path, contents, lambda file, datasets, contents: describe_groups([file], datasets, contents))


def read_legacy(path, contents):
    """An `.h5` of weights or of a whole model."""
    contents.kind = "legacy-h5"
    _read(path, contents, _describe_layers)


def read_member(file, contents):
    """The weights inside a `.keras`, whose zip keeps a checksum."""
    with h5py.File(file, "r") as weights:
        describe_groups([weights], _datasets(weights, contents), contents)


def is_hdf5(path):
    with open(path, "rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def is_legacy(path):
    """Whether a file has the layout of legacy HDF5, whatever it is called."""
    try:
        with h5py.File(path, "r") as file:
            return _legacy_root(file) is not None
    except (OSError, RuntimeError, KeyError):
        return False


def _read(path, contents, describe):
    contents.unverified.append("HDF5 keeps no checksum, so a changed value in it cannot be seen")
    try:
        with contextlib.ExitStack() as stack:
            found = opened(path, contents, stack)
            if found is not None:
                describe(*found, contents)
    except MemoryError:
        raise
    except Exception as error:
        contents.damage.append(f"HDF5 cannot read it: {failures.sentence(error)}")


def opened(path, contents, stack):
    """(file, {path: dataset} of all that can be read), closed with `stack`; None where it is no HDF5 file.

    Raises:
        OSError, RuntimeError: HDF5 cannot read it.
    """
    contents.bytes = os.path.getsize(path)
    if not is_hdf5(path):
        contents.damage.append("it is not an HDF5 file")
        return None
    file = stack.enter_context(h5py.File(path, "r"))
    _check_end(path, contents)
    return file, _datasets(file, contents)


def _check_end(path, contents):
    """The file's size against the one in its superblock; a shorter file HDF5 refuses itself."""
    with open(path, "rb") as file:
        head = file.read(64)
    start = {0: 24, 1: 28, 2: 12, 3: 12}.get(head[8])
    sizes = head[13] if head[8] < 2 else head[9]
    if start is None or sizes != 8:
        return
    addresses = struct.unpack_from("<3Q", head, start)
    end, size = addresses[2], os.path.getsize(path)
    if end != size:
        contents.damage.append(f"it has {size} bytes and says of itself that it has {end}")


# --- every dataset -------------------------------------------------------------------------------------------


def _datasets(file, contents):
    """{path: dataset} of all that can be read; what cannot is told as damage."""
    found, seen, extents = {}, set(), []
    queue = [("", file)]
    while queue:
        path, group = queue.pop()
        _attributes(path, group, contents)
        for name in group:
            below = f"{path}/{name}" if path else name
            try:
                if not _is_own(group, name):
                    contents.damage.append(f"{below} is a link out of its place")
                    continue
                item = group[name]
                address = h5py.h5o.get_info(item.id).addr
            except Exception as error:
                contents.damage.append(f"{below} cannot be opened: {failures.sentence(error)}")
                continue
            if address in seen:
                contents.damage.append(f"{below} is in it twice")
                continue
            seen.add(address)
            if isinstance(item, h5py.Group):
                queue.append((below, item))
            elif isinstance(item, h5py.Dataset):
                contents.tensors += 1
                _attributes(below, item, contents)
                problem = _problem(item, extents) or _unreadable(below, item, contents)
                if problem:
                    contents.damage.append(f"{below} {problem}")
                else:
                    found[below] = item
    extents.sort()
    if any(stop > start for (_, stop), (start, _) in zip(extents, extents[1:])):
        contents.damage.append("two of its tensors lie in the same place")
    return found


def _is_own(group, name):
    """Whether a name in a group is of what the file holds there: a link may lead anywhere, and in a circle."""
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def _own(group, path):
    """What the file holds below a group, reached by no link; None where there is nothing."""
    for name in filter(None, path.split("/")):
        if not isinstance(group, h5py.Group) or not _is_own(group, name):
            return None
        group = group[name]
    return group


def _attributes(path, item, contents):
    try:
        for name in item.attrs:
            item.attrs[name]
    except Exception as error:
        contents.damage.append(f"the attributes of {path or 'the file'} cannot be read: {failures.sentence(error)}")


def _problem(dataset, extents):
    """What contradicts itself in the description of a dataset, as the end of a sentence; None where nothing does."""
    try:
        if dataset.external or dataset.is_virtual:
            return "has its values in another file"
        dtype, stored = dataset.dtype, dataset.id.get_storage_size()
        if dtype.kind in "fiu" and not h5py.h5t.py_create(dtype).equal(dataset.id.get_type()):
            return f"is of an unknown kind of numbers (nearest: {dtype})"
        expected = int(np.prod(dataset.shape, dtype=object)) * dataset.id.get_type().get_size()
        if expected and not stored:
            return "has no stored values"
        if dataset.chunks is None and stored and stored != expected:
            return f"has {stored} bytes where its shape needs {expected}"
        if dataset.chunks and dataset.id.get_num_chunks() * int(np.prod(dataset.chunks, dtype=object)) < dataset.size:
            return "has values that were never stored"
        offset = dataset.id.get_offset()
    except Exception as error:
        return f"cannot be described: {failures.sentence(error)}"
    if offset is not None and stored:
        extents.append((offset, offset + stored))
    return None


def _unreadable(path, dataset, contents):
    """Reads all values, in parts; returns why they cannot be read."""
    try:
        if dataset.ndim == 0 or dataset.nbytes <= _SLAB:
            contents.take(path, np.asarray(typed(dataset, dataset[()])))
            return None
        rows = max(1, _SLAB * dataset.shape[0] // dataset.nbytes)
        for start in range(0, dataset.shape[0], rows):
            contents.take(path, typed(dataset, dataset[start : start + rows]))
    except MemoryError:
        raise
    except Exception as error:
        return f"cannot be read: {failures.sentence(error)}"
    return None


def typed(dataset, value):
    """HDF5 knows no bfloat16: Keras names the type in an attribute."""
    name = dataset.attrs.get("dtype")
    return value.view(tf.as_dtype(name).as_numpy_dtype) if name else value


def _add(name, path, dataset, contents, owner_name, seed):
    """Lists the variable that the dataset at `path` holds."""
    kind = dataset.attrs.get("dtype")
    dtype = tf.as_dtype(kind).name if kind else tf.as_dtype("string" if dataset.dtype.kind in "OSU" else dataset.dtype)
    return contents.add_variable(name, dataset.shape, getattr(dtype, "name", dtype), path, owner_name, seed)


# --- .weights.h5 ---------------------------------------------------------------------------------------------


def describe_groups(files, datasets, contents, addresses=None):
    """A Keras tree whose saving gives the groups of the file: each group a child of the root, under its whole path.

    A group whose variables are not numbered has been written by code of the layer's own, which only that can read.

    Args:
        files: the file, or its shards.
        addresses: {dataset: where `values.Values` finds it}, of shards.
    """
    if any(_legacy_root(file) is not None for file in files):
        contents.notes.append(
            "It has the layout of legacy HDF5, which Keras loads under a name that ends in .h5 and not in .weights.h5."
        )
    trees = [_tree(file) for file in files]
    groups = sorted(set().union(*map(_objects, trees)))
    nodes, below = [], collections.defaultdict(dict)
    for name, item in datasets.items():
        above, _, leaf = name.rpartition("/")
        below[above][leaf] = item
    for path in ["", *groups]:
        own = f"{path}/vars" if path else "vars"
        held = below[own]
        numbered = sorted(held, key=lambda key: (not key.isdigit(), int(key) if key.isdigit() else 0, key))
        name = _object_name(trees, own)
        variables = [
            _add(at, (addresses or {}).get(at, at), held[key], contents, name, _is_seed_state(path, name, held[key]))
            for key in numbered
            for at in [f"{own}/{key}"]
        ]
        nodes.append(
            {
                "type": "Group",
                "name": name or path.rpartition("/")[2],
                "role": "layer" if numbered == [str(number) for number in range(len(held))] else "custom",
                "variables": variables,
                "children": [],
            }
        )
    nodes[0]["children"] = [[path, number] for number, path in enumerate(groups, 1)]
    contents.keras_tree = {"generation": 3, "nests": True, "nodes": nodes}


def _object_name(trees, group):
    """The name of a layer; only the first of the shards that it is in says it."""
    names = [tree[group].attrs.get("name") for tree in trees if group in tree]
    return next((name for name in names if isinstance(name, str)), None)


def _tree(file):
    """{path: group} of all that are in a file, each once."""
    found, seen, queue = {}, set(), [("", file)]
    while queue:
        path, group = queue.pop()
        for name in group:
            item = _own(group, name)
            address = None if item is None else h5py.h5o.get_info(item.id).addr
            if isinstance(item, h5py.Group) and address not in seen:
                seen.add(address)
                below = f"{path}/{name}" if path else name
                found[below] = item
                queue.append((below, item))
    return found


def _objects(tree):
    """The paths of all groups that stand for an object; `vars` only holds what the one above it saved."""
    above = {path.rpartition("/")[0] for path in tree}
    return {path for path in tree if path.rpartition("/")[2] != "vars" or path in above}


def _is_seed_state(path, name, dataset):
    named = any((text or "").startswith("seed_generator") for text in (path.rpartition("/")[2], name))
    return named and dataset.ndim == 1 and dataset.dtype.kind in "iu"


# --- legacy --------------------------------------------------------------------------------------------------


def _legacy_root(file):
    if _has_list(file, "layer_names"):
        return file
    whole = _own(file, "model_weights")
    return whole if isinstance(whole, h5py.Group) and _has_list(whole, "layer_names") else None


def _has_list(group, name):
    return name in group.attrs or f"{name}0" in group.attrs


def _list(group, name):
    """A list of names that may be spread over several attributes, since one takes 64 KiB at most."""
    if name in group.attrs:
        parts = [group.attrs[name]]
    else:
        parts = []
        while f"{name}{len(parts)}" in group.attrs:
            parts.append(group.attrs[f"{name}{len(parts)}"])
    return [text.decode() if isinstance(text, bytes) else str(text) for part in parts for text in part]


def _once(group, name, contents):
    """A list of names, of which none is twice in a whole file."""
    names = _list(group, name)
    once = list(dict.fromkeys(names))
    if len(once) < len(names):
        contents.damage.append(f"{name} of {group.name} has a name twice")
    return once


def _describe_layers(file, datasets, contents):
    """The layers in the order of `layer_names`, each with its weights in the order of `weight_names`."""
    root = _legacy_root(file)
    if root is None:
        # Keras reads such a file as one without layers.
        contents.notes.append("It lists no layers: it does not have the layout of legacy HDF5.")
        contents.h5_file = {"layers": [{"name": _TOP, "type": "Group", "variables": []}]}
        return
    base, layers, taken = root.name.strip("/"), [], set()
    version = root.attrs.get("keras_version", file.attrs.get("keras_version"))
    if version is not None:
        contents.framework["keras"] = version.decode() if isinstance(version, bytes) else str(version)
    for layer in [*_once(root, "layer_names", contents), _TOP]:
        group = _own(root, layer) if layer else None
        if group is None:
            if layer != _TOP:
                contents.damage.append(f"{layer} is missing, though the file lists it")
                continue
            layers.append({"name": layer, "type": "Group", "variables": []})
            continue
        variables = []
        for weight in _once(group, "weight_names", contents):
            path = "/".join(part for part in f"{base}/{layer}/{weight}".split("/") if part)
            if path not in datasets:
                contents.damage.append(f"{path} is missing, though {layer} lists it")
                continue
            plain = weight.split(":")[0]
            owner = plain.rpartition("/")[0].rpartition("/")[2] or layer
            name = next((name for name in (plain, f"{layer}/{plain}") if name not in taken), path)
            while name in taken:
                name += "'"
            taken.add(name)
            seed = plain.rpartition("/")[2].startswith(("seed_generator_state", "StateVar"))
            variables.append(_add(name, path, datasets[path], contents, owner, seed))
        layers.append({"name": layer, "type": "Group", "variables": variables})
    contents.h5_file = {"layers": layers}
    listed = sum(len(layer["variables"]) for layer in layers)
    held = sum(path.startswith(f"{base}/" if base else "") and not path.startswith(_OPTIMIZER) for path in datasets)
    if listed < held:
        contents.damage.append(f"{held - listed} of its tensors are in no layer's list")
    if _OPTIMIZER in file:
        contents.notes.append("The optimizer's state in it is only read by load_model, not by load_weights.")
