"""The team's load call: what the configuration's `load` says, as arguments of the framework's functions.

Source: keras/src/saving/saving_api.py `load_weights`, `load_model` (both generations);
keras/src/saving/legacy/save.py `load_weights` (Keras 2), keras/src/legacy/saving/legacy_h5_format.py (Keras 3).
"""

import importlib

from . import private_names
from .failures import BuildError

_REFUSED = "When calling model.load_weights, skip_mismatch can only be set to True when by_name is True."


def described(call, package):
    """Returns `restore_guard.signature.LoadCall` as data.

    Args:
        call: `restore_guard.config.Load` as data; empty for the plain call.
        package: `keras` or `tf_keras`, of which the model is; None for another object, which is loaded plainly.
    """
    if package is None:
        return {}
    found = {"compile": call.get("compile", True), "whole_model": call.get("whole_model", False)}
    if call.get("skip_mismatch"):
        found["skips"] = ["keras-weights", "h5-by-name"]
        if found["whole_model"]:  # load_model knows no such argument
            return found
        if private_names.generation(package) == 2:
            found["refuses"] = {"h5": _REFUSED}
        elif private_names.skips_by_position():
            found["skips"].append("h5")
    return found


def revives(call):
    """The restore paths whose load call makes a model of its own; `restore_guard.signature.LoadCall.revives`."""
    return ("keras-archive", "h5") if call.get("whole_model") else ("keras-archive",)


def for_weights(call):
    """The arguments of `load_weights` besides the file."""
    return {"skip_mismatch": True} if call.get("skip_mismatch") else {}


def for_model(call):
    """The arguments of `load_model` besides the file.

    Raises:
        BuildError: a custom object is not there.
    """
    compiled = {} if call.get("compile", True) else {"compile": False}
    objects = custom_objects(call)
    return {**compiled, "custom_objects": objects} if objects else compiled


def custom_objects(call):
    """Returns {name: class or function}; errors as `for_model`."""
    return dict(_found(text) for text in call.get("custom_objects", ()))


def _found(text):
    module, _, name = text.partition(":")
    try:
        return name, getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise BuildError(f"load.custom_objects names {text}, which is not there: {error}") from error
