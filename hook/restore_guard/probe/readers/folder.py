"""Which checkpoint a folder stands for: what TensorFlow's managers and the callbacks of Keras leave there.

Source: tensorflow/python/checkpoint/checkpoint_management.py; keras/src/callbacks/backup_and_restore.py,
model_checkpoint.py, orbax_checkpoint.py; in Keras 2 distribute/worker_training_state.py.
"""

import json
import os

import tensorflow as tf
from google.protobuf import text_format

from . import bundle, sharded

_FILES = (".weights.h5", sharded.ENDING, ".h5", ".hdf5", ".keras")
_BACKUP, _BACKUP_STATE = "latest.weights.h5", "training_metadata.json"
# Where Keras 2 puts the backup of the process that leads.
_CHIEF = "chief"
_ORBAX = (
    *("orbax.checkpoint", "pytree.orbax-checkpoint", "checkpoint_metadata"),
    *("_CHECKPOINT_METADATA", "manifest.ocdbt"),
)


def chosen(folder, contents):
    """The file or prefix to read: the one that the folder's state names, else the only one; None where none is."""
    if os.path.exists(os.path.join(folder, "checkpoint")):
        return _latest(folder, contents)
    if is_orbax(folder):
        contents.kind = "orbax"
        contents.failure = (
            "it is an Orbax checkpoint, whose format restore-guard does not read. "
            "Load it by the Keras that wrote it and save it again (model.load_weights(FOLDER), then "
            'model.save_weights("x.weights.h5")): that file can be audited and migrated'
        )
        return None
    found = [*bundle.prefixes(folder), *_files(folder)]
    if os.path.join(folder, _BACKUP) in found:
        return _backup(folder, contents)
    if len(found) == 1:
        return found[0]
    chief = os.path.join(folder, _CHIEF)
    if not found and os.path.isdir(chief):
        contents.notes.append("It is a folder of Keras 2's BackupAndRestore, which keeps the checkpoint in `chief`.")
        return chosen(chief, contents)
    names = ", ".join(os.path.basename(path) for path in found)
    contents.usage = (
        f"{folder} holds several checkpoints and no state file: name one of {names}"
        if found
        else f"{folder} holds no checkpoint and is no SavedModel"
    )
    return None


def is_orbax(folder):
    """Whether a folder is what Orbax writes: one step, or a root with a folder for each step."""
    names = os.listdir(folder)
    steps = [name for name in names if name.isdigit() and os.path.isdir(os.path.join(folder, name))]
    inner = [os.listdir(os.path.join(folder, name)) for name in steps[-1:]]
    return any(name in _ORBAX or ".orbax-checkpoint-tmp" in name for listed in (names, *inner) for name in listed)


def _files(folder):
    """The files of Keras in a folder, without the shards of an index that is there."""
    found = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(_FILES)]
    return [path for path in found if sharded.index_of(path) is None]


def _backup(folder, contents):
    state = os.path.join(folder, _BACKUP_STATE)
    told = "says nothing of the epoch"
    if os.path.exists(state):
        try:
            with open(state, encoding="utf-8") as file:
                told = f"says epoch {json.load(file)['epoch']}"
        except (OSError, ValueError, KeyError, TypeError):
            contents.damage.append(f"{_BACKUP_STATE} cannot be read: training would not resume")
    contents.notes.append(f"It is a folder of BackupAndRestore, which {told}; the checkpoint in it is {_BACKUP}.")
    return os.path.join(folder, _BACKUP)


def _latest(folder, contents):
    """The prefix that the state file of a folder names."""
    state = tf.train.get_checkpoint_state(folder)
    # TensorFlow names the newest one twice, the second time as the last of all.
    if state is None or state.model_checkpoint_path not in state.all_model_checkpoint_paths[-1:]:
        contents.damage.append("the state file `checkpoint` in it cannot be read, or contradicts itself")
        return None
    named = state.model_checkpoint_path
    # Written with the whole path of the machine that it was saved on.
    moved = os.path.join(folder, os.path.basename(named))
    found = named if bundle.is_prefix(named) else moved
    if not bundle.is_prefix(found):
        contents.damage.append(f"{os.path.basename(named)} is missing, though the state file `checkpoint` names it")
        return None
    contents.notes.append(f"Its state file `checkpoint`, which has no checksum, names {os.path.basename(found)}.")
    if not _is_canonical(os.path.join(folder, "checkpoint"), type(state)):
        contents.unverified.append("its state file `checkpoint` is not as TensorFlow writes it")
    return found


def _is_canonical(path, message):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    return text == text_format.MessageToString(text_format.Parse(text, message()))
