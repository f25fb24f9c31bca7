"""What a `.keras` file holds besides the weights, and what today's code makes of it.

Source: keras/src/saving/saving_lib.py `_serialize_model_as_json`, `_model_from_config` (Keras 3), `save_model`,
`load_model` (Keras 2.12+).
"""

import contextlib
import importlib
import inspect
import json
import os

import tensorflow as tf

from .. import failures, frameworks, load_call
from . import variables


def serialize(model):
    """Returns (configuration as JSON, None), or (None, why Keras cannot write it)."""
    keras = frameworks.keras_of(model)
    lib = _serialization(keras.package)
    try:
        with _version_3(keras.package), lib.ObjectSharingScope():
            config = lib.serialize_keras_object(model)
        return json.dumps(repeatable(config)), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def deserialize(config, package, root, load):
    """Makes a model of a configuration, as the load call does.

    Args:
        load: `restore_guard.config.Load` as data.

    Returns:
        (model, None, None), or (None, the error's text, [file, line, 0] in the user's code or None).
    """
    lib = _serialization(package)
    try:
        objects, document = load_call.custom_objects(load), json.loads(config)
        if not load.get("compile", True):
            document["compile_config"] = None
        with _version_3(package), lib.ObjectSharingScope():
            return lib.deserialize_keras_object(document, objects or None, safe_mode=True), None, None
    except failures.BuildError as error:
        return None, failures.sentence(error), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}", place(error, root)


def with_other_rates(config):
    """Returns (the configuration with other learning rates, these): what has one of them got it from there."""
    document, rates = json.loads(config), []

    def change(value):
        for key, item in value.items() if isinstance(value, dict) else ():
            if key == "learning_rate" and isinstance(item, float):
                rates.append(item * _ANOTHER)
                value[key] = rates[-1]
            change(item)

    for name in _COMPILED:
        change(document.get(name))
    return json.dumps(document) if rates else config, rates


_ANOTHER = 1 - 2**-10
_COMPILED = ("compile_config", "training_config")
"""Where a `.keras` file and an `.h5` have the optimizer's configuration."""


def configured(model, rates):
    """The paths of the variables of a model whose value is one of these.

    Source: keras/src/optimizers/optimizer.py `_BaseOptimizer._serialize_hyperparameter` (Keras 2), base_optimizer.py
    `BaseOptimizer.get_config` (Keras 3): a learning rate is configured as it is when the model is saved.
    """
    if not rates or not tf.executing_eagerly():
        return []
    scalars = [
        found for found in variables.find(model)[0] if found.variable.shape == () and found.variable.dtype.is_floating
    ]
    values = {tf.constant(rate, tf.float32).numpy() for rate in rates}
    return [found.path for found in scalars if tf.cast(found.variable, tf.float32).numpy() in values]


def _serialization(package):
    return importlib.import_module(f"{frameworks.code_of(package)}.saving.serialization_lib")


@contextlib.contextmanager
def _version_3(package):
    """Keras 2 serializes for `.keras` files only while this flag of its saving library is up."""
    flag = getattr(
        importlib.import_module(f"{frameworks.code_of(package)}.saving.saving_lib"), "_SAVING_V3_ENABLED", None
    )
    before = getattr(flag, "value", False)
    if flag is not None:
        flag.value = True
    try:
        yield
    finally:
        if flag is not None:
            flag.value = before


def repeatable(config):
    """The configuration without what is chance: ids of objects, and the code of lambdas, which never load anyway."""
    return _repeatable(config, {})


def _repeatable(value, numbers):
    if isinstance(value, dict):
        if value.get("class_name") == "__lambda__":
            return {"class_name": "__lambda__", "config": {}}
        return {
            key: numbers.setdefault(item, len(numbers) + 1) if key == "shared_object_id" else _repeatable(item, numbers)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_repeatable(item, numbers) for item in value]
    return value


def place(error, root):
    """Where the user's code refused the configuration: the innermost line of it, else the class that was tried."""
    found, tried = None, None
    for frame, line in _frames(error):
        if frame.f_code.co_filename.startswith(root):
            found = frame.f_code.co_filename, line
        if inspect.isclass(frame.f_locals.get("cls")):
            tried = frame.f_locals["cls"]
    if found is None and tried is not None:
        with contextlib.suppress(OSError, TypeError):
            made = inspect.unwrap(tried.__init__)  # often of a class that it inherits from
            own = os.path.realpath(inspect.getsourcefile(made) or "").startswith(root)
            start = made if own else tried
            found = inspect.getsourcefile(start), inspect.getsourcelines(start)[1]
    if found is None or not os.path.realpath(found[0]).startswith(root):
        return None
    return [os.path.realpath(found[0])[len(root) :].replace(os.sep, "/"), found[1], 0]


def _frames(error):
    """Yields (frame, line) from the outermost call to where the first of the errors was raised."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            yield trace.tb_frame, trace.tb_lineno
            trace = trace.tb_next
        # Keras says what it was doing when another error came.
        error = error.__cause__ or error.__context__
