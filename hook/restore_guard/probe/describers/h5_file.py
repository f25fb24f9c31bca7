"""What the legacy HDF5 format writes: layers in order, and each one's weights in order.

Source: keras/src/legacy/saving/legacy_h5_format.py `save_weights_to_hdf5_group` (Keras 3),
keras/src/saving/legacy/hdf5_format.py (Keras 2).
"""

from .. import frameworks, private_names
from . import variables


def read(root, index):
    """Returns {"layers": [{"name", "type", "variables": [position]}], "error"}, or None where no Keras model is.

    Layers stand in the order of `model.layers`, a layer's variables in the order of `_legacy_weights`: all
    trainable ones, then the others. The model's own weights follow as the last entry, with "by_name" where loading
    by name takes others for its own. `error` is what keeps the file from being written: HDF5 takes no two weights
    of one name.
    """
    if not frameworks.is_model(root):
        return None
    called = private_names.weights_named_by() if frameworks.keras_of(root).generation == 3 else "name"
    try:
        groups = [(layer.name, layer, _weights(layer)) for layer in root.layers]
        groups.append(("top_level_model_weights", root, _own_weights(root)))
        _refuse_vocabularies(weights for _, _, weights in groups)
    except (ValueError, AttributeError) as error:
        return {"layers": [], "error": str(error)}
    return {
        "layers": [
            {
                "name": name,
                "type": type(layer).__name__,
                "variables": _positions(weights, index),
                **(
                    {"by_name": _positions(_weights(root), index)} if layer is root and _takes_all_by_name(root) else {}
                ),
            }
            for name, layer, weights in groups
        ],
        "error": _conflict([*sorted(groups[:-1], key=lambda group: group[0]), groups[-1]], called),
    }


def _refuse_vocabularies(listed):
    """Keras 2 lists the vocabulary of a lookup layer as a weight, and refuses to write it.

    Raises:
        ValueError: there is one.
    """
    for weights in listed:
        if any(variables.unwrap(weight) is None for weight in weights):
            raise ValueError(
                "Save or restore weights that is not an instance of `tf.Variable` is not supported in h5, "
                "use `save_format='tf'` instead."
            )


def _positions(weights, index):
    return [index[id(variables.unwrap(weight))] for weight in weights]


def _takes_all_by_name(model):
    """Whether loading by name takes all weights of a model for its own, as Keras 3.6 does: it raises if it has more."""
    if frameworks.keras_of(model).generation == 2:
        return False
    return private_names.takes_all_by_name()


def _weights(layer):
    return list(layer.trainable_weights) + list(layer.non_trainable_weights)


def _own_weights(model):
    own = private_names.own_variables(model)
    if frameworks.keras_of(model).generation == 2:
        return own
    return [variable for variable in own if _is_among(variable, model.weights)]


def _is_among(variable, weights):
    """Keras 3 asks `v in model.weights`, which compares values until it meets the variable itself.

    Raises:
        ValueError: as the comparison does where it has more than one element.
    """
    for other in weights:
        if other is variable:
            return True
        if _elements(variable) * _elements(other) != 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous.")
    return False


def _elements(variable):
    count = 1
    for size in variable.shape:
        count *= size
    return count


def _conflict(groups, called):
    """The error for a weight without a name, or HDF5's for one that is taken or leads through a weight; else None.

    Args:
        groups: (name, layer, weights), in the order in which they are written.
        called: the attribute of a weight that is its name.
    """
    folders, weights = set(), set()
    for layer, _, listed in groups:
        for weight in listed:
            if not hasattr(weight, called):
                return f"'{type(weight).__name__}' object has no attribute '{called}'"
        for name in (None, *(getattr(weight, called) for weight in listed)):
            parts = [part for part in f"{layer}/{name or ''}".split("/") if part]
            whole, above = "/".join(parts), {"/".join(parts[:end]) for end in range(1, len(parts))}
            if whole in folders | weights or above & weights:
                return f"Unable to create dataset (name already exists): {name or layer}"
            folders |= above
            (folders if name is None else weights).add(whole)
    return None
