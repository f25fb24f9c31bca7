"""What a model is called with, as far as that is known without calling it: names, shapes, dtypes and structure."""

import re

import tensorflow as tf

from .. import frameworks, private_names

# What Keras calls an input that got no name; the number counts what was made before.
_AUTOMATIC = re.compile(r"(keras_tensor|input_layer|input)(_\d+)?")


def read(root, created):
    """Returns a list of `restore_guard.signature.Input` in the order of their structure; empty where nothing is known.

    A functional model and the placeholders of a graph are declared. Of what was only called, the sizes are those of
    an example.
    """
    if isinstance(root, tf.Graph):
        placeholders = [operation for operation in root.get_operations() if operation.type == "Placeholder"]
        return [_input((operation.name,), operation.outputs[0]) for operation in placeholders]
    if not frameworks.is_model(root):
        return []
    # A list of one is called as its item is.
    for attribute in private_names.DECLARED_INPUTS:
        declared = frameworks.attribute(root, attribute)
        if declared is not None:
            return [_declared(at, tensor, created) for at, tensor in _leaves(_alone(declared))]
    called = _called(root)
    return [_input(at, value, example=True) for at, value in _leaves(called)] if called is not None else []


def _called(root):
    """The structure of shapes (Keras 3) or of TensorSpecs (Keras 2) of the first call; None where there was none."""
    shapes = frameworks.attribute(root, private_names.CALLED_SHAPES)
    if shapes:
        shapes = {name.removesuffix("_shape") if len(shapes) > 1 else "": shape for name, shape in shapes.items()}
        return shapes[""] if "" in shapes else dict(shapes)
    specification = frameworks.attribute(root, private_names.CALLED_WITH)
    if specification is None:
        return None
    positional, named = specification
    return _alone(list(positional)) if not named else {**dict(enumerate(positional)), **named}


def _alone(structure):
    return structure[0] if isinstance(structure, (list, tuple)) and len(structure) == 1 else structure


def _leaves(structure, at=()):
    """Yields (keys that lead to it, leaf) in the order in which the structure has them; a shape is a leaf."""
    if isinstance(structure, dict):
        for key, value in structure.items():
            yield from _leaves(value, (*at, key if isinstance(key, int) else str(key)))
    elif isinstance(structure, (list, tuple)) and not _is_shape(structure):
        for number, value in enumerate(structure):
            yield from _leaves(value, (*at, number))
    elif hasattr(structure, "shape") or isinstance(structure, (list, tuple, tf.TensorShape)):
        yield at, structure


def _is_shape(value):
    return all(size is None or isinstance(size, int) for size in value)


def _declared(at, tensor, created):
    found = _input(at, tensor)
    name = getattr(tensor, "name", None) or ""
    layer = private_names.declaring_layer(tensor)
    site = created.of(layer) if layer is not None else None
    return {**found, "name": None if not name or _AUTOMATIC.fullmatch(name) else name, "site": site}


def _input(at, value, example=False):
    """Args: value: a tensor, a specification of one, or a shape."""
    shape = tf.TensorShape(getattr(value, "shape", value))
    sizes = None if shape.rank is None else [None, *shape.as_list()[1:]] if shape.rank else []
    dtype = getattr(value, "dtype", None)
    found = {"at": list(at), "shape": sizes, "dtype": None if dtype is None else tf.as_dtype(dtype).base_dtype.name}
    return {**found, "example": True} if example else found
