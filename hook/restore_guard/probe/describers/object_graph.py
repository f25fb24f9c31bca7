"""The trackable object graph that tf.train.Checkpoint saves and matches.

Source: tensorflow/python/checkpoint/graph_view.py (order of traversal), checkpoint/util.py
(slot variables), trackable/base.py (`_trackable_children`).
"""

import collections

import tensorflow as tf

from .. import private_names
from . import states, variables


def read(root, index, created=None):
    """Returns the object graph as data.

    Args:
        root: what the builder returned.
        index: {id(tf.Variable): position in the signature's variables}.
        created: knows where objects are made; None where that is of no interest.

    Returns:
        {"nodes": [{"type", "variable", "state", "site", "children": [[edge, node]],
        "slots": [[slot, variable's node, slot's node]], "slots_by"}]}
        in breadth-first order, the root first; "state" and "site" of those alone that have a state;
        or {"error": text} where TensorFlow refuses to save the object.
    """
    if isinstance(root, tf.Graph):
        return {"error": "a tf.Graph is no trackable object"}
    try:
        objects, children = traverse(start(root))
        slots = _slots(objects, children)
    except (ValueError, NotImplementedError) as error:
        return {"error": str(error)}
    ids = {id(value): number for number, value in enumerate(objects)}
    return {
        "nodes": [
            {
                "type": type(value).__name__,
                "variable": index.get(id(variables.unwrap(value))),
                **_held(value, created),
                "children": [[name, ids[id(child)]] for name, child in children[number]],
                "slots": slots.get(number, []),
                "slots_by": _slots_by(value),
            }
            for number, value in enumerate(objects)
        ]
    }


def _held(value, created):
    """{"state", "site"} of an object that is no variable and holds a value."""
    if variables.unwrap(value) is not None or not private_names.holds_state(value):
        return {}
    return {"state": states.of(value), "site": created.of(value) if created is not None else None}


def start(root):
    """The object that is saved: a dict is saved as `tf.train.Checkpoint(**root)`."""
    return tf.train.Checkpoint(**root) if isinstance(root, dict) else root


def traverse(start):
    """Returns (objects, the named children of each).

    Breadth first, children in the order of `_trackable_children`; every object is kept, with or without
    a value below it: a bound object without values can keep another one from being bound.

    Raises:
        ValueError, NotImplementedError: TensorFlow refuses to save an object.
    """
    objects, children, seen = [], [], {id(start)}
    queue = collections.deque([start])
    while queue:
        value = queue.popleft()
        objects.append(value)
        named = [item for item in private_names.children(value) if item[0] != "save_counter"]
        children.append(named)
        for _, child in named:
            if id(child) not in seen:
                seen.add(id(child))
                queue.append(child)
    return objects, children


def _slots_by(value):
    if variables.has_slots(value):
        return "making"
    # Keras 2.11's optimizers have it only to raise.
    return "refusing" if hasattr(value, "_create_or_restore_slot_variable") else None


def _slots(objects, children):
    """Slot variables of legacy optimizers hang on no edge; appends them and returns {optimizer: references}.

    Source: tensorflow/python/checkpoint/util.py `serialize_slot_variables`.
    """
    slots, plain = {}, list(objects)
    for number, optimizer in enumerate(plain):
        if not variables.has_slots(optimizer):
            continue
        for slot_name in optimizer.get_slot_names():
            for original, variable in enumerate(plain):
                slot = variables.get_slot(optimizer, variable, slot_name)
                if slot is not None:
                    slots.setdefault(number, []).append([slot_name, original, len(objects)])
                    objects.append(slot)
                    children.append([])
    return slots
