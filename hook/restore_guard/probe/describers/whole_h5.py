"""What an `.h5` of a whole model holds besides the weights, and what today's code makes of it.

Keras itself writes and loads such a file, in memory and without values: what becomes of those is simulated.

Source: keras/src/legacy/saving/legacy_h5_format.py `save_model_to_hdf5`, `load_model_from_hdf5` (Keras 3),
keras/src/saving/legacy/save.py, hdf5_format.py (Keras 2).
"""

import contextlib
import json

import h5py

from .. import failures, frameworks, load_call, private_names
from . import keras_config, variables

_WEIGHTS, _OPTIMIZER = "model_weights", "optimizer_weights"
_PARTS = ("model_config", "training_config")
LAMBDA = (
    "the file of a whole model holds the code of a lambda, which is another one in every Python and not compared: "
    "use a named function, or a registered layer"
)


def serialize(model):
    """Returns (what the file holds as JSON, None), or (None, why Keras cannot write it).

    In: a Keras model, which stays as it is.
    Out: `model_config` and `training_config` as Keras writes them, and whether there are weights of an optimizer.
    """
    try:
        with _in_memory() as file, _without_values(frameworks.keras_of(model).package), compiled_as_before(model):
            private_names.LegacySaving(frameworks.keras_of(model).package).save(model, file)
            document = {name: json.loads(file.attrs[name]) for name in _PARTS if name in file.attrs}
            document[_OPTIMIZER] = _OPTIMIZER in file
        return json.dumps(keras_config.repeatable(document)), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def deserialize(config, package, root, load):
    """Makes a model of what a file holds, as the load call does; in and out as `keras_config.deserialize`."""
    document = json.loads(config)
    try:
        objects = load_call.custom_objects(load)
        with _in_memory() as file, _without_values(package):
            for name in _PARTS:
                if name in document:
                    file.attrs[name] = json.dumps(document[name])
            file.create_group(_WEIGHTS)
            if document[_OPTIMIZER]:
                file.create_group(_OPTIMIZER)
            loaded = private_names.LegacySaving(package).load(file, objects or None, load.get("compile", True))
            return loaded, None, None
    except failures.BuildError as error:
        return None, failures.sentence(error), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}", keras_config.place(error, root)


def written(model, index):
    """The positions of the optimizer's variables in the order in which the file has them."""
    optimizer = frameworks.attribute(model, "optimizer")
    return _positions(private_names.listed_of(optimizer) if optimizer is not None else (), index)


def taken(model, index):
    """The positions of the optimizer's variables in the order in which loading gives them values."""
    optimizer = frameworks.attribute(model, "optimizer")
    return _positions(private_names.settable_of(optimizer) if optimizer is not None else (), index)


def _positions(listed, index):
    return [index[id(variables.unwrap(variable))] for variable in listed]


def has_lambda(config):
    """Whether a configuration holds the code of a lambda."""
    return _has_lambda(json.loads(config))


def _has_lambda(value):
    if isinstance(value, dict):
        if value.get("class_name") == "__lambda__":
            return True
        function = (value.get("config") or {}).get("function") if isinstance(value.get("config"), dict) else None
        if value.get("class_name") == "Lambda" and isinstance(function, list):
            return True
        return any(map(_has_lambda, value.values()))
    return isinstance(value, list) and any(map(_has_lambda, value))


@contextlib.contextmanager
def compiled_as_before(model):
    """Keras 3 takes the optimizer out of what the model was compiled with when it writes such a file.

    Source: keras/src/legacy/saving/saving_utils.py `model_metadata`.
    """
    kept = private_names.compile_arguments(model)
    before = dict(kept) if kept is not None else {}
    try:
        yield
    finally:
        if kept is not None:
            kept.clear()
            kept.update(before)


@contextlib.contextmanager
def _in_memory():
    with h5py.File("model.h5", "w", driver="core", backing_store=False) as file:
        yield file


@contextlib.contextmanager
def _without_values(package):
    """Keras writes and loads no weights; of the optimizer's it writes the names, which HDF5 may refuse."""
    module = private_names.LegacySaving(package).module
    instead = {
        "save_weights_to_hdf5_group": lambda *_: None,
        "load_weights_from_hdf5_group": lambda *_: None,
        "save_optimizer_weights_to_hdf5_group": _write_names,
        "load_optimizer_weights_from_hdf5_group": lambda *_: [],
    }
    before = {name: getattr(module, name) for name in instead}
    try:
        for name, function in instead.items():
            setattr(module, name, function)
        yield
    finally:
        for name, function in before.items():
            setattr(module, name, function)


def _write_names(file, optimizer):
    listed = private_names.listed_of(optimizer)
    if listed:
        group = file.create_group(_OPTIMIZER)
        for variable in listed:
            group.create_dataset(getattr(variable, "path", None) or variable.name, (0,))
