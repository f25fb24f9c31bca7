"""The order in which the legacy HDF5 format writes layers and their weights.

Source: keras/src/legacy/saving/legacy_h5_format.py `save_weights_to_hdf5_group` (Keras 3),
keras/src/saving/legacy/hdf5_format.py (Keras 2).
"""

from . import frameworks, variables


def read(root, index):
    """Returns [{"name", "type", "variables": [position]}] in the order of `model.layers`, or None if no Keras model.

    A layer's variables stand in the order of `_legacy_weights`: all trainable ones, then the others.
    The model's own weights follow as the last entry, named `top_level_model_weights`.
    """
    if not frameworks.is_model(root):
        return None
    layers = [
        {
            "name": layer.name,
            "type": type(layer).__name__,
            "variables": _positions(_weights(layer), index),
        }
        for layer in root.layers
    ]
    top = _positions(_own_weights(root), index)
    return [*layers, {"name": "top_level_model_weights", "type": type(root).__name__, "variables": top}]


def _weights(layer):
    return list(layer.trainable_weights) + list(layer.non_trainable_weights)


def _own_weights(model):
    if hasattr(model, "_trainable_variables"):
        return list(model._trainable_variables) + list(model._non_trainable_variables)
    return list(model._trainable_weights) + list(model._non_trainable_weights)


def _positions(listed, index):
    found = (index.get(id(variables.unwrap(variable))) for variable in listed)
    return [position for position in found if position is not None]
