"""Every variable of a model, under a path that a person recognises.

The path follows the attributes of the user's own code (`encoder/dense_1/kernel`), falls back on the layer's
name within a Sequential or functional model, and never on a variable's name, which changes with what
was built earlier in the process.
"""

import collections
import re

import tensorflow as tf

from .. import frameworks, private_names
from . import saver_file


class Found:
    """A variable with its place in the model.

    Attributes:
        path: unique within the model.
        variable: the tf.Variable that holds the value.
        owner: the layer, module or optimizer that holds it, or None.
        seed: True for the state of a random number generator.
    """

    def __init__(self, path, variable, owner, seed):
        self.path, self.variable, self.owner, self.seed = path, variable, owner, seed


def named_variables(root):
    """Returns [(path, tf.Variable)] of all that `find` finds."""
    return [(found.path, found.variable) for found in find(root)[0]]


def of_optimizers(root):
    """Returns the paths of the variables that optimizers hold."""
    return {found.path for found in find(root)[0] if has_slots(found.owner) or _is_optimizer(found.owner)}


def unwrap(value):
    """Returns the tf.Variable behind a variable of TensorFlow or of Keras 3, else None."""
    if isinstance(value, tf.Variable) and type(value).__name__ != "AutoCastVariable":
        return value
    inner = private_names.inner_variable(value)
    return inner if isinstance(inner, tf.Variable) else None


class Holder:
    """A layer, module or optimizer on the way to a variable."""

    def __init__(self, path, value):
        self.path, self.value = path, value


def find(root):
    """Returns (list of `Found`, list of `Holder`, aliases), breadth first from the root, each variable once.

    Aliases are [other path, path] of what the user's attributes reach a second time: a shared layer or variable.

    Attributes come first. What they do not reach but the object graph or Keras lists (slot variables, layers
    that only `add_weight` knows of) follows under the name of its edge.
    """
    if isinstance(root, tf.Graph):
        return [Found(variable.op.name, variable, None, False) for variable in saver_file.saved(root)], [], []
    walk = _Walk()
    walk.run(root)
    aliases = [[alias, walk.names[key]] for alias, key in walk.aliases if walk.names.get(key)]
    return walk.found, walk.holders(), aliases


class _Walk:
    def __init__(self):
        self.found, self.paths = [], collections.Counter()
        self.seen, self.queue = {}, collections.deque()
        self.names, self.aliases = {}, []

    def run(self, root):
        self.push(root, (), None)
        self.drain()
        told = len(self.aliases)
        for name, value in _object_graph(root):
            self.push(value, name, None)
            self.drain()
        for variable in _listed(root):
            self.push(variable, (_last_name(variable),), None)
        self.push_slots()
        # What the object graph and the listings reach again are not the user's names.
        del self.aliases[told:]

    def push_slots(self):
        """The slots of legacy optimizers, under the paths of their variables: they are kept by ids, which change."""
        known = [
            (key, variable) for key, value in self.seen.items() for variable in [unwrap(value)] if variable is not None
        ]
        for key, optimizer in list(self.seen.items()):
            if not has_slots(optimizer):
                continue
            for slot_name in sorted(optimizer.get_slot_names()):
                for original, variable in known:
                    slot = get_slot(optimizer, variable, slot_name)
                    if slot is not None:
                        self.push(slot, (self.names[key], slot_name, self.names[original]), optimizer)

    def push(self, value, path, owner):
        variable = unwrap(value)
        key = id(value if variable is None else variable)
        if key in self.seen:
            if not _is_optimizer(owner):
                self.aliases.append(("/".join(path), key))
            return
        self.names[key] = "/".join(path)
        if variable is not None:
            self.seen[key] = variable
            self.add(path, variable, owner)
        elif _has_children(value):
            self.seen[key] = value
            self.queue.append((value, path, owner))

    def add(self, path, variable, owner):
        name = "/".join(path) or _last_name(variable)
        self.paths[name] += 1
        if self.paths[name] > 1:
            name = f"{name}#{self.paths[name]}"
            self.names[id(variable)] = name
        self.found.append(Found(name, variable, owner, _is_generator(owner)))

    def holders(self):
        """The objects, containers left out, below which a variable was found."""
        above = {
            "/".join(parts[:end])
            for found in self.found
            for parts in [found.path.split("/")]
            for end in range(1, len(parts))
        }
        return [
            Holder(path, value)
            for key, value in self.seen.items()
            for path in [self.names.get(key)]
            if path in above and unwrap(value) is None and not isinstance(value, (list, tuple, dict))
        ]

    def drain(self):
        while self.queue:
            value, path, owner = self.queue.popleft()
            if not isinstance(value, (list, tuple, dict)):
                owner = value
            for name, child in _children(value):
                self.push(child, path + (str(name),), owner)


def has_slots(value):
    """Whether a value is an optimizer of TensorFlow 1 or a legacy one of Keras 2, which keep a slot for a variable."""
    return "get_slot_names" in dir(value)


def get_slot(optimizer, variable, slot_name):
    """Returns the slot of a variable, None where there is none or where it is no variable."""
    try:
        return optimizer.get_slot(variable, slot_name)
    except (AttributeError, KeyError):
        return None


def _has_children(value):
    return isinstance(value, (list, tuple, dict, tf.Module)) or (
        isinstance(value, tf.__internal__.tracking.Trackable)
        or frameworks.keras_of(value) is not None
        or _is_generator(value)
    )


def _is_generator(value):
    return type(value).__name__ in ("SeedGenerator", "RandomGenerator") or isinstance(value, tf.random.Generator)


def _children(value):
    """Yields (name, value): layers of a functional model by name, else the user's attributes in order."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, (list, tuple)):
        yield from enumerate(value)
    elif has_slots(value):
        yield from private_names.children(value)
    else:
        if _is_layered(value):
            yield from ((layer.name, layer) for layer in value.layers)
        skipped = _framework_attributes(value)
        attributes = [item for item in _attributes(value) if not (item[0] in skipped or item[0].startswith("_self_"))]
        if isinstance(value, tf.train.Checkpoint):
            attributes = [item for item in attributes if item[0] not in ("_save_counter", "save_counter")]
        # An optimizer lists every slot once more in `_variables`: the slots' own lists say more.
        attributes.sort(key=lambda item: item[0] in ("_variables", "_trainable_variables"))
        for name, child in attributes:
            plain = name.lstrip("_")
            if unwrap(child) is not None or _is_optimizer(value) or _is_generator(value):
                name = plain
            yield name, child


def _is_layered(value):
    keras = frameworks.keras_of(value)
    return keras is not None and any(base.__name__ in ("Functional", "Sequential") for base in type(value).__mro__)


def _is_optimizer(value):
    keras = frameworks.keras_of(value)
    return keras is not None and isinstance(value, frameworks.optimizer_of(keras.package))


def _attributes(value):
    try:
        return list(vars(value).items())
    except TypeError:
        return []


_BARE = {}


def _framework_attributes(value):
    """Attributes that a bare layer, model or module has too: the framework's bookkeeping, not the user's."""
    keras = frameworks.keras_of(value)
    if keras is None:
        return ()
    if keras.package not in _BARE:
        layers = keras.module.layers
        bare = [layers.Layer(), keras.module.Model(), keras.module.Sequential()]
        names = {name for item in bare for name in vars(item)}
        names |= private_names.MODEL_BOOKKEEPING
        names -= {"optimizer", "_optimizer"}
        _BARE[keras.package] = names
    if _is_optimizer(value):
        return private_names.OPTIMIZER_BOOKKEEPING
    return _BARE[keras.package]


def _object_graph(root):
    """Yields (path, object) of the checkpoint's object graph, breadth first."""
    start = tf.train.Checkpoint(**root) if isinstance(root, dict) else root
    if not isinstance(start, tf.__internal__.tracking.Trackable):
        return
    seen, queue = {id(start)}, collections.deque([((), start)])
    while queue:
        path, value = queue.popleft()
        try:
            children = private_names.children(value)
        except ValueError:
            # A mutated list: it cannot be saved, which `object_graph` reports.
            continue
        for name, child in children:
            if id(child) not in seen and name != "save_counter":
                seen.add(id(child))
                yield path + (name.lstrip("_"),), child
                queue.append((path + (name.lstrip("_"),), child))


def _listed(root):
    """Yields the variables that Keras or tf.Module lists for the root itself."""
    for value in root.values() if isinstance(root, dict) else [root]:
        # Keras 2 raises where some nested model was never called.
        variables = frameworks.attribute(value, "variables", ())
        for variable in () if callable(variables) else variables:
            # Keras 2 lists the vocabulary of a lookup layer too, which is none.
            if unwrap(variable) is not None:
                yield variable


def _last_name(variable):
    return re.sub(r":\d+$", "", variable.name).split("/")[-1]
