"""What a checkpoint file holds and whether it is whole, as data without values."""

import os

import tensorflow as tf
from google.protobuf import text_format

from .. import failures
from . import archive, bundle, hdf5, saved_model
from .contents import Contents


def read(job):
    """Reads every byte of `job["options"]["checkpoint"]` that matters; returns `Contents.as_data()`.

    Raises:
        MemoryError, ResourceExhaustedError: never for a damaged file, which is what it is asked for.
    """
    path = job["options"]["checkpoint"]
    contents = Contents(path)
    try:
        _read(path, contents)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise
    except Exception as error:
        contents.damage.append(f"it cannot be read: {failures.sentence(error)}")
    return contents.as_data()


def _read(path, contents):
    if os.path.isdir(path):
        if saved_model.is_one(path):
            saved_model.read(path, contents)
            return
        path = _latest(path, contents)
        if path is None:
            return
    contents.file = path
    if not os.path.isfile(path) or bundle.prefix_of(path) != path:
        contents.file = bundle.prefix_of(path)
        bundle.read(contents.file, contents)
    elif path.endswith(".keras"):
        archive.read(path, contents)
    elif path.endswith(".weights.h5"):
        hdf5.read_weights(path, contents)
    elif path.endswith((".h5", ".hdf5")):
        hdf5.read_legacy(path, contents)
    else:
        _by_content(path, contents)


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


def _latest(folder, contents):
    """The prefix in a folder: the one that its state file names, else the only one."""
    found = bundle.prefixes(folder)
    if os.path.exists(os.path.join(folder, "checkpoint")):
        state = tf.train.get_checkpoint_state(folder)
        # TensorFlow names the newest one twice, the second time as the last of all.
        if state is None or state.model_checkpoint_path not in state.all_model_checkpoint_paths[-1:]:
            contents.damage.append("the state file `checkpoint` in it cannot be read, or contradicts itself")
            return None
        named = state.model_checkpoint_path
        # Written with the whole path of the machine that it was saved on.
        moved = os.path.join(folder, os.path.basename(named))
        chosen = named if bundle.is_prefix(named) else moved
        if not bundle.is_prefix(chosen):
            contents.damage.append(f"{os.path.basename(named)} is missing, though the state file `checkpoint` names it")
            return None
        contents.notes.append(f"Its state file `checkpoint`, which has no checksum, names {os.path.basename(chosen)}.")
        if not _is_canonical(os.path.join(folder, "checkpoint"), type(state)):
            contents.unverified.append("its state file `checkpoint` is not as TensorFlow writes it")
        return chosen
    if len(found) == 1:
        return found[0]
    names = ", ".join(os.path.basename(prefix) for prefix in found)
    contents.usage = (
        f"{folder} holds several checkpoints and no state file: name one of {names}"
        if found
        else f"{folder} holds no checkpoint and is no SavedModel"
    )
    return None


def _is_canonical(path, message):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    return text == text_format.MessageToString(text_format.Parse(text, message()))
