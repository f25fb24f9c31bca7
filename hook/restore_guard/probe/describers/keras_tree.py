"""The tree that Keras walks to save and load weights files (`.weights.h5`, `.keras`).

Source: keras/src/saving/saving_lib.py, `_save_state` and `_load_state` (Keras 2.12+ and 3). The walk itself is
the installed framework's own; here its steps are written down as data.
"""

import importlib

import tensorflow as tf

from .. import frameworks, private_names
from . import variables


def read(root, index, sites):
    """Returns the saving tree as data, or None where the root is not a Keras model.

    Args:
        root: what the builder returned.
        index: {id(tf.Variable): position in the signature's variables}.
        sites: `sites.Sites`, for the line that created each layer.

    Returns:
        {"generation": 2|3, "nests": bool, "refuses_unbuilt": bool, "nodes": [node]}; the root is the first node. A node
        is {"type", "name", "role": layer|optimizer|stateless|custom, "variables": [position] in saved order,
        "vocabulary": known|empty|null, "children": [[attribute, target]], "site"}; a target is a node's number or a
        list of [key, target or null], the key being what the item is addressed by (null: holds nothing that is saved).
    """
    if not frameworks.is_model(root):
        return None
    keras = frameworks.keras_of(root)
    reader = _Reader(keras, index, sites)
    reader.node(root)
    return {
        "generation": keras.generation,
        "nests": reader.saving.nests_containers,
        "refuses_unbuilt": reader.saving.refuses_unbuilt,
        "nodes": reader.nodes,
    }


class _Reader:
    def __init__(self, keras, index, sites):
        self.keras, self.index, self.sites = keras, index, sites
        self.saving = private_names.Saving(keras.package)
        self.nodes, self.numbers, self.alive = [], {}, []

    def node(self, saveable):
        if id(saveable) in self.numbers:
            return self.numbers[id(saveable)]
        number = self.numbers[id(saveable)] = len(self.nodes)
        # Some attributes are properties that make a new object at each look: keep it, or its id is used again.
        self.alive.append(saveable)
        role, saved = _own_variables(self.keras, saveable, self.index)
        name = frameworks.attribute(saveable, "name")
        node = {
            "type": type(saveable).__name__,
            "name": name if isinstance(name, str) else None,
            "role": role,
            "variables": saved,
            "built": bool(frameworks.attribute(saveable, "built", True)),
            "vocabulary": _vocabulary(saveable),
            "children": [],
            "site": self.sites.of(saveable),
        }
        self.nodes.append(node)
        for attribute, value in self.saving.walk(saveable):
            if attribute in private_names.SECOND_WAYS:
                continue
            target = self.target(value, ())
            if target is not None:
                node["children"].append([attribute, target])
        return number

    def target(self, value, above):
        """A node's number, a container's items, or None where nothing in it is saved."""
        if self.saving.is_saveable(value):
            return self.node(value)
        containers = self.saving.containers
        if not isinstance(value, containers) or id(value) in above:
            return None
        items = []
        for item in list(value.values()) if isinstance(value, dict) else list(value):
            if self.saving.is_saveable(item):
                items.append([self.saving.snake_case(type(item).__name__), self.node(item)])
            elif self.saving.nests_containers and isinstance(item, (list, dict, tuple)):
                items.append(["container", self.target(item, (*above, id(value)))])
        return items if any(target is not None for _, target in items) else None


def _own_variables(keras, saveable, index):
    """Returns (role, positions of the variables in the order of `save_own_variables`)."""
    names = private_names.saving_methods(saveable)
    if names is None:
        return "stateless", []
    if isinstance(saveable, frameworks.optimizer_of(keras.package)):
        own = saveable.variables
        return "optimizer", _positions(own() if callable(own) else own, index)
    base = importlib.import_module(frameworks.code_of(keras.package)).layers.Layer
    methods = [getattr(type(saveable), name) for name in names]
    if all(getattr(method, "__module__", "").startswith(keras.package + ".") for method in methods):
        listed = private_names.own_variables(saveable) if methods[0] is getattr(base, names[0]) else _recorded(saveable)
        positions = _positions(listed, index) if listed is not None else None
        if positions is not None and None not in positions and not getattr(saveable, "lora_enabled", False):
            return "layer", positions
    return "custom", [
        position for position in _positions(private_names.own_variables(saveable), index) if position is not None
    ]


def _vocabulary(saveable):
    """What `IndexLookup.load_assets` reads: the vocabulary, where it is not in the configuration."""
    if not (hasattr(saveable, "load_assets") and hasattr(saveable, "get_vocabulary")):
        return None
    configured = private_names.lookup_of(saveable).input_vocabulary
    if configured is not None and len(configured):
        return None
    # A layer cannot adapt in a graph.
    known = tf.executing_eagerly() and saveable.get_vocabulary(include_special_tokens=False)
    return "known" if known else "empty"


def _recorded(layer):
    """What a built-in layer with a layout of its own (Dense, Embedding, ...) really writes, or None."""
    store = {}
    try:
        getattr(layer, private_names.saving_methods(layer)[0])(store)
    except Exception:
        return None
    if any(variables.unwrap(value) is None for value in store.values()):
        return None
    return [store[key] for key in sorted(store, key=lambda key: int(key) if key.isdigit() else 0)]


def _positions(listed, index):
    return [index.get(id(variables.unwrap(variable))) for variable in listed]
