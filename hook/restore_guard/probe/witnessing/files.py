"""What a checkpoint file really holds, found by value."""

import zipfile

import numpy as np
import tensorflow as tf

from ..readers import bundle
from . import cuts, filling


def saved_values(variables, filled, restore_path, path):
    """The values that really are in a checkpoint: a path may leave a variable out without a word.

    In: the (path, variable) pairs of the saving build, what `fill` returned, what `save` returned.
    Out: {path: value} of the variables found by value in the file, without random-seed state. What a layer writes
    in a form of its own is not found.
    """
    stored = {filling.digest(value) for value in _stored_arrays(restore_path, path, variables)}
    names = [name for name, _ in filling.without_seed_state(variables)]
    return {name: filled[name] for name in names if filling.digest(filled[name]) in stored}


def _stored_arrays(restore_path, path, variables):
    if restore_path in ("tf-checkpoint", "tf1-saver"):
        parts = [cuts.of_one(variable) for _, variable in variables] if restore_path == "tf1-saver" else []
        parts = [part for part in parts if part.spec]
        return _bundle_arrays(path, {part.tensor for part in parts}) + _slices(path, parts)
    return _archive_arrays(path) if zipfile.is_zipfile(path) else _hdf5_arrays(path)


def _bundle_arrays(path, cut):
    reader = tf.train.load_checkpoint(path)
    # The state of an iterator over a dataset is no array.
    types = reader.get_variable_to_dtype_map().items()
    return [np.asarray(reader.get_tensor(name)) for name, dtype in types if dtype != tf.variant and name not in cut]


def _slices(path, parts):
    kinds = tf.train.load_checkpoint(path).get_variable_to_dtype_map()
    return [bundle.part(path, part.tensor, part.spec, kinds[part.tensor]) for part in parts]


def _archive_arrays(path):
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as member:
        return _hdf5_arrays(member)


def _hdf5_arrays(file):
    import h5py

    arrays = []

    def collect(_, item):
        if isinstance(item, h5py.Dataset):
            arrays.append(_hdf5_array(item))

    with h5py.File(file, "r") as opened:
        opened.visititems(collect)
    return arrays


def _hdf5_array(dataset):
    """HDF5 knows no bfloat16: Keras stores its bytes and names the type in an attribute."""
    value = np.asarray(dataset)
    name = dataset.attrs.get("dtype")
    return value.view(tf.as_dtype(name).as_numpy_dtype) if name else value
