"""What tf.compat.v1.train.Saver writes of a TF1-style graph.

Source: tensorflow/python/training/saver.py `Saver.build`, saveable_object_util.py `op_list_to_dict`;
ops/variables.py `_all_saveable_objects`; ops/lookup_ops.py `MutableHashTable` (in the collection of saveables).
"""

import tensorflow as tf

from .. import private_names
from . import states


def read(root, index, created):
    """Returns {"entries": [{"name", "variable", "shape", "offset", "strict"}], "states": [{"name", "state", "site"}],
    "error"}; None where there is no graph.

    `shape` is the whole tensor's; a part of a partitioned variable starts at `offset` in it. `strict` is a
    reference variable, which takes no value of another shape; a resource variable does.
    """
    if not isinstance(root, tf.Graph):
        return None
    try:
        with root.as_default():
            # Two variables of one name, or a graph without any, make the constructor raise.
            tf.compat.v1.train.Saver()
    except (ValueError, TypeError) as error:
        return {"entries": [], "error": str(error)}
    entries = [_entry(variable, index) for variable in saved(root)]
    others = root.get_collection(tf.compat.v1.GraphKeys.SAVEABLE_OBJECTS)
    return {"entries": entries, "states": [_state(saveable, created) for saveable in others], "error": None}


def saved(graph):
    """The variables that a Saver without arguments takes."""
    with graph.as_default():
        return list(tf.compat.v1.global_variables())


def _state(saveable, created):
    state = states.of(saveable.op)
    known = isinstance(state, str) and " " in state
    return {"name": saveable.name, "state": state if known else "other", "site": created.of(saveable.op)}


def _entry(variable, index):
    info = private_names.slice_info(variable)
    shape = (
        info.full_shape if info is not None else variable.shape.as_list() if variable.shape.rank is not None else None
    )
    return {
        "name": info.full_name if info is not None else variable.op.name,
        "variable": index[id(variable)],
        "shape": list(shape) if shape is not None else None,
        "offset": list(info.var_offset) if info is not None else [],
        "strict": not hasattr(variable, "handle"),
    }
