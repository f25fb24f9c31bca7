"""Three ways to run a builder, cheapest first; the signature does not depend on which one served.

graph: inside a tf.Graph no variable gets a value. weightless: eager, but a variable's initial value is
replaced by memory that nothing writes to. eager: as the user runs it.
"""

import contextlib
import functools

import tensorflow as tf
from tensorflow.python.eager import context

from . import frameworks, load_call

# Bytes of a variable; what is smaller has its initial value in no time.
_LARGE = 1 << 20


def order(restores, load):
    """Returns the names to try in order for a model that promises these restore paths, loaded by the team's load call.

    Keras 2 falls back on TF1 classes within a plain graph: not there, but where those are what is wanted. The
    configuration in a file of a whole model holds the optimizer's learning rate, which no graph can tell.
    """
    if "tf1-saver" in restores:
        return ["graph", "weightless", "eager"]
    generation = getattr(tf.keras, "__version__", None) or tf.keras.backend.__name__
    if _is_keras_2(generation) or {*restores} & {*load_call.revives(load)}:
        return ["weightless", "eager"]
    return ["graph", "weightless", "eager"]


def _is_keras_2(version):
    return not str(version).startswith("3")


@contextlib.contextmanager
def scope(name, sites):
    """Runs the block by the strategy called `name`; `sites` hears every variable."""
    with contextlib.ExitStack() as stack:
        if name == "graph":
            stack.enter_context(tf.Graph().as_default())
        if name == "weightless":
            stack.enter_context(tf.variable_creator_scope(_weightless))
        stack.enter_context(tf.variable_creator_scope(sites.creator))
        yield


@contextlib.contextmanager
def without_large_weights():
    """Runs the block with variables of which only those that are not `is_large` get their initial value."""
    with tf.variable_creator_scope(functools.partial(_weightless, only=is_large)):
        yield


def is_large(value):
    """Whether it takes time and memory to give a variable, or what is to be its value, an initial value."""
    return (value.shape.num_elements() or 0) * value.dtype.base_dtype.size >= _LARGE


def _weightless(next_creator, only=lambda value: True, **kwargs):
    initial = kwargs.get("initial_value")
    if callable(initial) and not hasattr(initial, "checkpoint_position"):
        kwargs["initial_value"] = _empty_like(initial, kwargs.get("dtype"), only)
    return next_creator(**kwargs)


def _empty_like(initial, dtype, only):
    """Returns a callable that gives a tensor as `initial` would, without its values where `only` says so."""

    def empty(*args, **kwargs):
        try:
            with tf.Graph().as_default():
                value = tf.convert_to_tensor(initial(*args, **kwargs), dtype=dtype)
        except (TypeError, ValueError, RuntimeError, NotImplementedError):
            # The initial value needs eager tensors: let it have them.
            return initial(*args, **kwargs)
        if not value.shape.is_fully_defined() or value.dtype in (tf.string, tf.resource, tf.variant) or not only(value):
            return initial(*args, **kwargs)
        return tf.raw_ops.Empty(shape=value.shape, dtype=value.dtype, init=False)

    return empty


def is_eager():
    """Whether the code leaves eager execution on; a strategy's graph does not count."""
    return context.default_execution_mode == context.EAGER_MODE


def is_uncalled(root, inputs):
    """Whether a model's variables may not all be there: a Keras model that is not built, or a module to be called."""
    return any(
        not _is_built(value)
        if frameworks.is_model(value) and not _calls_itself(value)
        else inputs and isinstance(value, tf.Module) and callable(value)
        for value in _parts(root)
    )


def _is_built(model):
    """Whether a Keras model has its variables: `self.build(...)` in a constructor only says so in Keras 3.

    Nothing builds a model that has no `call`, such as one whose `train_step` calls its parts: they are built, or not.

    Source: keras/src/layers/layer.py `build_wrapper`, which warns and marks it as built.
    """
    keras = frameworks.keras_of(model).module
    parts = all(layer.built for layer in model.layers)
    if type(model).call in (keras.layers.Layer.call, keras.Model.call):
        return parts and bool(model.weights)
    return model.built and (bool(model.weights) or parts)


def _calls_itself(value):
    """Whether a Keras model has a `__call__` of its own, of which Keras hears nothing, and has its variables."""
    keras = frameworks.keras_of(value).module
    own = type(value).__call__ not in (keras.layers.Layer.__call__, keras.Model.__call__)
    return own and bool(frameworks.attribute(value, "variables"))


def call(root, inputs):
    """Calls what is not built.

    Args:
        inputs: [{"shape": without batch, "dtype"}]; an unknown dimension (None) becomes 1.

    Raises:
        ValueError: a Keras model is not built and no inputs are configured.
    """
    zeros = [tf.zeros([1, *[size or 1 for size in item["shape"]]], item["dtype"]) for item in inputs]
    for value in _parts(root):
        if not frameworks.is_model(value) or _calls_itself(value):
            if is_uncalled(value, inputs):
                _call_module(value, zeros)
        elif not _is_built(value):
            if not inputs:
                raise ValueError(
                    f"{type(value).__name__} is not built: its variables do not exist before its first call. "
                    "Call it in the builder, or configure inputs, for example "
                    'inputs = [{ shape = [16], dtype = "float32" }].'
                )
            # Training enters it as well.
            with value.distribute_strategy.scope():
                value(zeros[0] if len(zeros) == 1 else zeros)


def _call_module(module, arguments):
    """Calls a tf.Module; one that has its variables already need not be callable in this way."""
    try:
        module(*arguments)
    except Exception:
        if not module.variables:
            raise


def lacks_slots(root):
    """Whether an optimizer has not made its slots: a checkpoint of a trained model holds them."""
    return any(_unbuilt_optimizer(value) is not None for value in _parts(root))


def train(root):
    """Makes the slots that a compiled model creates at its first training step."""
    for value in _parts(root):
        optimizer = _unbuilt_optimizer(value)
        if optimizer is not None:
            # The slots of a mirrored variable can be made nowhere else.
            with value.distribute_strategy.scope():
                optimizer.build(value.trainable_variables)


def _parts(root):
    return root.values() if isinstance(root, dict) else [root]


def _unbuilt_optimizer(value):
    optimizer = frameworks.attribute(value, "optimizer") if frameworks.is_model(value) else None
    built = getattr(optimizer, "built", False) or getattr(optimizer, "_built", False)
    return optimizer if hasattr(optimizer, "build") and not built else None
