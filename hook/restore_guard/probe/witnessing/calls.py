"""The calls that save and load by each restore path."""

import contextlib
import importlib
import os
import zipfile

import tensorflow as tf

from .. import load_call, names
from ..describers import whole_h5
from . import filling


class Unsupported(Exception):
    """This restore path cannot save or load this kind of root, whatever its variables are."""


def save(root, restore_path, folder, call):
    """Save `root` by the plain call of a restore path.

    In: a Keras model, tf.Module, tf.train.Checkpoint or dict of trackables; an existing, empty folder; the team's load
    call, `restore_guard.config.Load` as data, which tells whether an `.h5` is of the whole model.
    Out: the path that `load` takes.
    Errors: Unsupported, ValueError for an unknown path, or whatever the call raises.
    """
    return _calls(restore_path, call)[0](root, folder)


def load(root, restore_path, path, call):
    """Load what `save` returned, with no assertion on the status.

    In: as for `save`.
    Out: the root that now holds the values: `root`, but a new model where the call makes one (`load_call.revives`).
    Errors: as `save`.
    """
    return _calls(restore_path, call)[1](root, path, call)


def _calls(restore_path, call):
    if restore_path not in _RESTORE_PATHS:
        raise ValueError(f"unknown restore path {restore_path!r}")
    if restore_path == "h5" and restore_path in load_call.revives(call):
        return _save_whole_h5, _load_whole
    return _RESTORE_PATHS[restore_path]


def _checkpoint(root):
    if isinstance(root, tf.train.Checkpoint):
        return root
    if isinstance(root, tf.Graph):
        raise Unsupported("a tf.Graph is no trackable object")
    return tf.train.Checkpoint(**root) if isinstance(root, dict) else tf.train.Checkpoint(root)


def _save_checkpoint(root, folder):
    with contextlib.nullcontext() if tf.executing_eagerly() else filling.session_of(root).as_default():
        return _checkpoint(root).save(os.path.join(folder, "checkpoint"))


def _load_checkpoint(root, path, call):
    status = _checkpoint(root).restore(path)
    if not tf.executing_eagerly():
        status.run_restore_ops(filling.session_of(root))
    return root


def _save_weights(root, folder):
    path = os.path.join(folder, "model.weights.h5")
    _keras_model(root).save_weights(path)
    return path


def _load_weights(root, path, call):
    _keras_model(root).load_weights(path, **load_call.for_weights(call))
    return root


def _save_legacy_h5(root, folder):
    path = os.path.join(folder, "model.h5")
    if _keras_major(_keras_model(root)) >= 3:
        _write_legacy_h5(root, path)
    else:
        root.save_weights(path)
    return path


def _write_legacy_h5(model, path):
    """What Keras 3 writes for `model.save("x.h5")`, minus the config: a subclassed model may have none."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file.create_group("model_weights"), model)


def _load_by_name(root, path, call):
    _keras_model(root).load_weights(path, by_name=True, **load_call.for_weights(call))
    return root


def _save_archive(root, folder):
    path = os.path.join(folder, "model.keras")
    _keras_model(root).save(path)
    if not zipfile.is_zipfile(path):
        raise Unsupported("this Keras writes HDF5 under a name that ends in .keras")
    return path


def _save_whole_h5(root, folder):
    path = os.path.join(folder, "model.h5")
    with whole_h5.compiled_as_before(_keras_model(root)):
        root.save(path)
    return path


def _load_whole(root, path, call):
    return load_whole(path, _keras_name(_keras_model(root)), call)


def load_whole(path, package, call):
    """The model that a file of a whole one makes; `package` is `keras` or `tf_keras`, as the user imports it."""
    names.afresh()
    return importlib.import_module(f"{package}.models").load_model(path, **load_call.for_model(call))


def _save_graph(root, folder):
    with _graph(root).as_default():
        return tf.compat.v1.train.Saver().save(filling.session_of(root), os.path.join(folder, "model.ckpt"))


def _restore_graph(root, path, call):
    with _graph(root).as_default():
        tf.compat.v1.train.Saver().restore(filling.session_of(root), path)
    return root


def _graph(root):
    if not isinstance(root, tf.Graph):
        raise Unsupported(f"only a tf.Graph is saved by tf.compat.v1.train.Saver, not {type(root).__name__}")
    return root


_RESTORE_PATHS = {
    "tf-checkpoint": (_save_checkpoint, _load_checkpoint),
    "keras-weights": (_save_weights, _load_weights),
    "h5": (_save_legacy_h5, _load_weights),
    "h5-by-name": (_save_legacy_h5, _load_by_name),
    "keras-archive": (_save_archive, _load_whole),
    "tf1-saver": (_save_graph, _restore_graph),
}


def _keras_name(root):
    """`keras` or `tf_keras`, whichever's Model `root` derives from; None for anything else."""
    for base in type(root).__mro__:
        package = base.__module__.split(".")[0]
        if base.__name__ == "Model" and package in ("keras", "tf_keras"):
            return package
    return None


def _keras_model(root):
    if _keras_name(root) is None:
        raise Unsupported(f"only a Keras model can be saved this way, not {type(root).__name__}")
    return root


def _keras_major(model):
    return int(importlib.import_module(_keras_name(model)).__version__.split(".")[0])
