"""Builds without the weights of keras.applications: their values decide nothing of what a checkpoint holds.

They are neither fetched nor loaded, so that a build needs no network and no file of somebody's own computer.

Source: keras/src/applications/*.py: `file_utils.get_file` (Keras 3) and `data_utils.get_file` (Keras 2, tf_keras) give
the file that `load_weights` gets.
"""

import contextlib
import functools
import sys

_PACKAGES = ("keras.src", "tf_keras.src", "keras")
_FETCH = ("utils.file_utils", "utils.data_utils")
_MODELS = ("models.model", "engine.training")


class _Weights(str):
    """The name of a file that was not fetched."""


@contextlib.contextmanager
def left_out():
    """Within the block, weights of keras.applications are left out, of each Keras that is imported by then."""
    with contextlib.ExitStack() as stack:
        for module in _imported(_FETCH):
            if hasattr(module, "get_file"):
                _replace(stack, module, "get_file", _get_file(module.get_file))
        for module in _imported(_MODELS):
            if hasattr(getattr(module, "Model", None), "load_weights"):
                _replace(stack, module.Model, "load_weights", _load_weights(module.Model.load_weights))
        yield


def _imported(names):
    every = (f"{package}.{name}" for package in _PACKAGES for name in names)
    return [sys.modules[name] for name in every if name in sys.modules]


def _replace(stack, owner, name, value):
    before = getattr(owner, name)
    setattr(owner, name, value)
    stack.callback(setattr, owner, name, before)


def _get_file(fetch):
    @functools.wraps(fetch)
    def get_file(fname=None, *args, **kwargs):
        asks = sys._getframe(1).f_globals.get("__name__", "")
        if ".applications." in asks and str(fname).endswith(".h5"):
            return _Weights(fname)
        return fetch(fname, *args, **kwargs)

    return get_file


def _load_weights(load):
    @functools.wraps(load)
    def load_weights(self, filepath, *args, **kwargs):
        return None if isinstance(filepath, _Weights) else load(self, filepath, *args, **kwargs)

    return load_weights
