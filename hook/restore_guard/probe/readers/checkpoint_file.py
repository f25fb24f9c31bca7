"""What a checkpoint file holds and whether it is whole, as data without values."""

import os

import tensorflow as tf

from .. import failures
from . import archive, bundle, folder, hdf5, limits, saved_model, sharded
from .contents import Contents


def read(job):
    """Reads every byte of `job["options"]["checkpoint"]` that matters; returns `Contents.as_data()`.

    It may take memory in proportion to `job["options"]["bytes"]`, or any where that is not told.

    Raises:
        MemoryError, ResourceExhaustedError: never for a damaged file, which is what it is asked for.
    """
    path = job["options"]["checkpoint"]
    contents = Contents(path)
    if "bytes" in job["options"]:
        limits.limit(job["options"]["bytes"])
    try:
        _read(path, contents)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise
    except Exception as error:
        contents.damage.append(f"it cannot be read: {failures.sentence(error)}")
    return contents.as_data()


def _read(path, contents):
    if os.path.isdir(path):
        for is_one, read_folder in _FOLDERS:
            if is_one(path):
                read_folder(path, contents)
                return
        path = folder.chosen(path, contents)
        if path is None:
            return
    index = sharded.index_of(path) if path.endswith(".weights.h5") else None
    if index is not None:
        contents.notes.append(f"{os.path.basename(path)} is a shard: the whole is {os.path.basename(index)}.")
    path = contents.file = index or path
    if not os.path.isfile(path) or bundle.prefix_of(path) != path:
        contents.file = bundle.prefix_of(path)
        bundle.read(contents.file, contents)
        return
    for ending, read_file in _FILES:
        if path.endswith(ending):
            read_file(path, contents)
            return
    _by_content(path, contents)


_FOLDERS = ((saved_model.is_one, saved_model.read), (archive.is_folder, archive.read_folder))
_FILES = (
    (".keras", archive.read),
    (sharded.ENDING, sharded.read),
    (".weights.h5", hdf5.read_weights),
    (".h5", hdf5.read_legacy),
    (".hdf5", hdf5.read_legacy),
)


def _by_content(path, contents):
    """A file whose name does not tell; Keras loads by the name, so the note says which one it needs."""
    with open(path, "rb") as file:
        is_zip = file.read(4) == b"PK\3\4"
    if is_zip:
        contents.notes.append("Keras loads it only under a name that ends in .keras.")
        archive.read(path, contents)
    elif hdf5.is_hdf5(path):
        contents.notes.append("Keras loads it only under a name that ends in .weights.h5 or .h5.")
        (hdf5.read_legacy if hdf5.is_legacy(path) else hdf5.read_weights)(path, contents)
    else:
        contents.damage.append("it is neither a TensorFlow checkpoint nor HDF5 nor a Keras archive")
