"""Models as data that renders to Python source: one file with a `build()`, as the corpus has them.

All layers map (batch, 4, width) to (batch, 4, another width), so that any may follow any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

STEPS = 4
WIDTH = 3


@dataclass(frozen=True)
class Node:
    """A part of a model.

    Attributes:
        kind: one of LAYERS, or of what the functions of `_Source` render.
        children: (label, node); a label is an attribute, a key or a variable's name, whatever its place asks for.
        units: width of a layer's output, length of a variable.
        name: the layer's own, where it is given one.
    """

    kind: str
    children: tuple[tuple[str, Node], ...] = ()
    units: int = WIDTH
    bias: bool = True
    trainable: bool = True
    dtype: str | None = None
    name: str | None = None

    def walk(self) -> Iterator[tuple[tuple[int, ...], Node]]:
        """Yields (place, node), this one first; a place is the positions of children on the way."""
        yield (), self
        for number, (_, child) in enumerate(self.children):
            for place, node in child.walk():
                yield (number, *place), node

    def put(self, place: tuple[int, ...], node: Node) -> Node:
        """This node with another one at a place."""
        if not place:
            return node
        children = list(self.children)
        label, child = children[place[0]]
        children[place[0]] = label, child.put(place[1:], node)
        return replace(self, children=tuple(children))

    def at(self, place: tuple[int, ...]) -> Node:
        return self.children[place[0]][1].at(place[1:]) if place else self


@dataclass(frozen=True)
class Model:
    """A whole model.

    Attributes:
        root: sequential, functional, model (a subclass), module, checkpoint, dict or graph (TF1-style).
        optimizer: one of OPTIMIZERS for a Keras model, of SLOTS for any other root but a module.
        deferred: a subclass that is built by its first call after `build`, with the configured inputs.
        registered: its classes can be found by the name that a `.keras` file holds.
        mirrored: it is made under a distribution strategy, as for several processors.
    """

    root: Node
    optimizer: str | None = None
    deferred: bool = False
    registered: bool = False
    mirrored: bool = False

    @property
    def is_keras(self) -> bool:
        return self.root.kind in ROOTS_OF_KERAS


ROOTS_OF_KERAS = ("sequential", "functional", "model")
ROOTS = (*ROOTS_OF_KERAS, "module", "checkpoint", "dict", "graph")

# {kind: (expression, width of the output: that of the input where None)}
LAYERS = {
    "dense": ("keras.layers.Dense({units}, use_bias={bias}{more})", 1),
    "conv": ('keras.layers.Conv1D({units}, 2, padding="same", use_bias={bias}{more})', 1),
    "separable": ('keras.layers.SeparableConv1D({units}, 2, padding="same", use_bias={bias}{more})', 1),
    "einsum": (
        'keras.layers.EinsumDense("abc,cd->abd", (None, {units}), bias_axes="d" if {bias} else None{more})',
        1,
    ),
    "lstm": ("keras.layers.LSTM({units}, return_sequences=True, use_bias={bias}{more})", 1),
    "gru": ("keras.layers.GRU({units}, return_sequences=True, reset_after={bias}{more})", 1),
    "cells": (
        "keras.layers.RNN([keras.layers.LSTMCell({units}), keras.layers.GRUCell({units})],"
        " return_sequences=True{more})",
        1,
    ),
    "bidirectional": (
        "keras.layers.Bidirectional(keras.layers.LSTM({units}, return_sequences=True, use_bias={bias}){more})",
        2,
    ),
    "distributed": ("keras.layers.TimeDistributed(keras.layers.Dense({units}, use_bias={bias}){more})", 1),
    "spectral": ("keras.layers.SpectralNormalization(keras.layers.Dense({units}, use_bias={bias}){more})", 1),
    "attention": ("keras.layers.MultiHeadAttention(2, {units}, use_bias={bias}{more})", None),
    "batch_norm": ("keras.layers.BatchNormalization(center={bias}{more})", None),
    "layer_norm": ("keras.layers.LayerNormalization(center={bias}{more})", None),
    "normalization": ("keras.layers.Normalization({more})", None),
    "prelu": ("keras.layers.PReLU(shared_axes=[1] if {bias} else None{more})", None),
    "activation": ('keras.layers.Activation("relu"{more})', None),
    "dropout": ("keras.layers.Dropout(0.5{more})", None),
    "scale": ("Scale({more})", None),
    "raw": ("Raw({units}{more})", None),
    "tokens": ("Tokens({units}{more})", 1),
    "late": ("Late({units}{more})", 1),
    "custom": ("Custom({units}{more})", None),
}
# Layers that nothing calls.
IDLE = {
    "unbuilt": "keras.layers.Dense({units})",
    "lookup": 'keras.layers.StringLookup(vocabulary=["a", "b"])',
    "table": "keras.layers.StringLookup(max_tokens={units} + 2)",
    "generator": "keras.layers.Dropout(0.5)",
}
CONTAINERS = ("list", "tuple", "dict")
BLOCKS = ("layer", "model")
OWN_VARIABLES = ("variable", "weight", "partitioned")

# Python classes that a layer's expression needs.
_CLASSES = {
    "Scale": """\
class Scale(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(int(shape[-1]),), initializer="ones", name="scale")
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")

    def call(self, x):
        return x * self.scale
""",
    "Raw": """\
class Raw(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.table = tf.Variable(tf.zeros((units, 2)), name="table")

    def call(self, x):
        return x
""",
    "Tokens": """\
class Tokens(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.embedding = keras.layers.Embedding(8, units)

    def call(self, x):
        return self.embedding(tf.cast(x[..., 0], "int32"))
""",
    "Late": """\
class Late(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.inner = keras.layers.Dense(self.units)
        self.inner.build(shape)
        self.built = True

    def call(self, x):
        return self.inner(x)
""",
    "Custom": """\
class Custom(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.first = self.add_weight(shape=(self.units,), name="first")
        self.second = self.add_weight(shape=(self.units,), name="second")

    def save_own_variables(self, store):
        store["both"] = tf.stack([self.first, self.second]).numpy()

    def load_own_variables(self, store):
        self.first.assign(store["both"][0])
        self.second.assign(store["both"][1])

    def call(self, x):
        return x
""",
    "Linear": """\
class Linear(tf.Module):
    def __init__(self, units):
        super().__init__()
        self.w = tf.Variable(tf.zeros((3, units)), name="w")
        self.b = tf.Variable(tf.zeros((units,)), name="b")
""",
}
_RUN = """\
def run(item, x):
    if isinstance(item, dict):
        item = list(item.values())
    if isinstance(item, (list, tuple)):
        for part in item:
            x = run(part, x)
        return x
    return item(x, x) if isinstance(item, keras.layers.MultiHeadAttention) else item(x)
"""

_REGISTER = "@keras.utils.register_keras_serializable()"

OPTIMIZERS = {
    "sgd": "keras.optimizers.SGD()",
    "momentum": "keras.optimizers.SGD(momentum=0.9)",
    "adam": "keras.optimizers.Adam()",
    "amsgrad": "keras.optimizers.Adam(amsgrad=True)",
    "rmsprop": "keras.optimizers.RMSprop()",
    "adagrad": "keras.optimizers.Adagrad()",
    "averaging": "keras.optimizers.Adam(use_ema=True)",
    "scaled": "keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam())",
    "legacy": "keras.optimizers.legacy.Adam()",
    "legacy_momentum": "keras.optimizers.legacy.SGD(momentum=0.9)",
}
SLOTS = {
    "v1_adam": "tf.compat.v1.train.AdamOptimizer(0.01)",
    "v1_momentum": "tf.compat.v1.train.MomentumOptimizer(0.01, 0.9)",
    "v1_adagrad": "tf.compat.v1.train.AdagradOptimizer(0.01)",
}


def width(node: Node, before: int) -> int:
    """The width of what comes out of a node; `before` is that of what goes in."""
    if node.kind in LAYERS:
        factor = LAYERS[node.kind][1]
        return before if factor is None else factor * node.units
    if node.kind == "branches":
        return sum(width(child, before) for _, child in node.children)
    if node.kind in ("sequential", "functional", *BLOCKS, *CONTAINERS):
        for _, child in node.children:
            before = width(child, before)
    return before


def render(model: Model) -> str:
    """The file of a pair that builds the model."""
    return _Source(model).text()


class _Source:
    def __init__(self, model: Model) -> None:
        self.model, self.needed, self.classes, self.functions = model, [], [], 0

    def text(self) -> str:
        body = getattr(self, f"root_{self.model.root.kind}")(self.model.root)
        runs = any("run(" in part for part in self.classes)
        defined = [*(_CLASSES[name] for name in self.needed), *([_RUN] if runs else []), *self.classes]
        if self.model.registered:
            defined = [re.sub(r"^(class \w+\(keras\.)", rf"{_REGISTER}\n\1", part, flags=re.M) for part in defined]
        head = "import tensorflow as tf\nfrom tensorflow import keras\n"
        inputs = f'INPUTS = [{{"shape": [{STEPS}, {WIDTH}], "dtype": "float32"}}]\n' if self.model.deferred else ""
        if self.model.mirrored:
            body = ['with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():', *(f"    {line}" for line in body)]
        build = "def build():\n" + "".join(f"    {line}\n" for line in body)
        return "\n\n".join(filter(None, [head + ("\n" + inputs if inputs else ""), *defined, build]))

    # --- roots ---

    def root_sequential(self, root: Node) -> list[str]:
        items = [f"keras.Input(({STEPS}, {WIDTH}))", *self.items(root, WIDTH)]
        return ["model = keras.Sequential([", *(f"    {item}," for item in items), "])", *self.compiled()]

    def root_functional(self, root: Node) -> list[str]:
        return [*self.steps(root, WIDTH), "model = keras.Model(inputs, x)", *self.compiled()]

    def root_model(self, root: Node) -> list[str]:
        made = f"model = {self.block(root, WIDTH)}"
        call = [] if self.model.deferred else [f"model(tf.zeros((1, {STEPS}, {WIDTH})))"]
        return [made, *call, *self.compiled()]

    def root_module(self, root: Node) -> list[str]:
        return [f"return {self.module(root)}"]

    def root_checkpoint(self, root: Node) -> list[str]:
        return self.trackables(root, "tf.train.Checkpoint(**parts)")

    def root_dict(self, root: Node) -> list[str]:
        return self.trackables(root, "parts")

    def root_graph(self, root: Node) -> list[str]:
        lines = ["graph = tf.Graph()", "with graph.as_default():", *self.scope(root, 1)]
        if self.model.optimizer:
            lines += [
                "    trainable = [v for v in tf.compat.v1.trainable_variables() if v.dtype.base_dtype == tf.float32]",
                "    loss = tf.add_n([tf.reduce_sum(v) for v in trainable] or [tf.constant(0.0)])",
                f"    if trainable: {SLOTS[self.model.optimizer]}.minimize(loss)",
            ]
        return [*lines, "return graph"]

    def scope(self, node: Node, depth: int) -> list[str]:
        """The statements that make the variables of a scope; `bias` chooses the kind of variable."""
        lines, indent = ["    " * depth + "pass"], "    " * depth
        for label, child in node.children:
            name = label.strip("_")  # what a scope may not begin with
            if child.kind in ("scope", *CONTAINERS):
                lines += [f'{indent}with tf.compat.v1.variable_scope("{name}"):', *self.scope(child, depth + 1)]
            elif child.kind == "partitioned":
                cut = f"partitioner=tf.compat.v1.fixed_size_partitioner({child.units})"
                lines.append(f'{indent}tf.compat.v1.get_variable("{name}", (6, 2), use_resource={child.bias}, {cut})')
            elif child.kind != "same":
                more = f"dtype=tf.{child.dtype or 'float32'}, trainable={child.trainable}, use_resource={child.bias}"
                made = f'tf.compat.v1.get_variable("{name}", ({child.units},), {more}'
                lines.append(f"{indent}{made}, initializer=tf.compat.v1.zeros_initializer())")
        return lines

    def trackables(self, root: Node, result: str) -> list[str]:
        lines = ["parts = {}"]
        for label, child in root.children:
            lines.append(f'parts["{label}"] = {self.free(child)}')
        if self.model.optimizer:
            lines += [
                "variables = [v for part in parts.values() for v in getattr(part, 'trainable_variables', [])]",
                "variables = [v if isinstance(v, tf.Variable) else v.value for v in variables]",
                f"optimizer = {SLOTS[self.model.optimizer]}",
                "optimizer.apply_gradients([(tf.zeros(v.shape), v) for v in variables if v.dtype == tf.float32])",
                'parts["optimizer"] = optimizer',
            ]
        return [*lines, f"return {result}"]

    def compiled(self) -> list[str]:
        optimizer = self.model.optimizer
        if not optimizer:
            return ["return model"]
        lines = [f"model.compile({OPTIMIZERS[optimizer]})"]
        if optimizer.startswith("legacy"):
            lines.append("model.optimizer.apply_gradients([(tf.zeros_like(v), v) for v in model.trainable_variables])")
        return [*lines, "return model"]

    # --- parts ---

    def layer(self, node: Node) -> str:
        more = ""
        if node.name:
            more += f', name="{node.name}"'
        if not node.trainable:
            more += ", trainable=False"
        if node.dtype:
            more += f', dtype="{node.dtype}"'
        text = LAYERS[node.kind][0].format(units=node.units, bias=node.bias, more=more)
        text = text.replace("(, ", "(")
        class_name = text.partition("(")[0]
        if class_name in _CLASSES:
            self.need(class_name)
        return text

    def need(self, class_name: str) -> None:
        if class_name not in self.needed:
            self.needed.append(class_name)

    def keras(self, node: Node, before: int) -> str:
        """The expression of a Keras layer or model that is called with `before` features."""
        if node.kind == "sequential":
            name = f', name="{node.name}"' if node.name else ""
            return f"keras.Sequential([{', '.join(self.items(node, before))}]{name})"
        if node.kind == "functional":
            self.functions += 1
            function, name = f"make_{self.functions}", f', name="{node.name}"' if node.name else ""
            lines = [*self.steps(node, before), f"return keras.Model(inputs, x{name})"]
            self.classes.append(f"def {function}():\n" + "".join(f"    {line}\n" for line in lines))
            return f"{function}()"
        return self.block(node, before) if node.kind in BLOCKS else self.layer(node)

    def items(self, node: Node, before: int) -> list[str]:
        items = []
        for _, child in node.children:
            items.append(self.keras(child, before))
            before = width(child, before)
        return items

    def steps(self, node: Node, before: int) -> list[str]:
        lines = [f"inputs = x = keras.Input(({STEPS}, {before}))"]
        made: dict[str, str] = {}
        for label, child in node.children:
            if child.kind == "branches":
                branches = [f"{self.keras(branch, before)}({_arguments(branch)})" for _, branch in child.children]
                lines.append(f"x = keras.layers.Concatenate()([{', '.join(branches)}])")
            elif child.kind == "same":
                if made:
                    lines.append(f"x = {list(made)[child.units % len(made)]}(x)")
            else:
                made[label] = self.keras(child, before)
                lines += [f"{label} = {made[label]}", f"x = {label}({_arguments(child)})"]
            before = width(child, before)
        return lines

    def block(self, node: Node, before: int) -> str:
        """A class with an attribute for each child."""
        base = "keras.Model" if node.kind == "model" else "keras.layers.Layer"
        created, called, earlier = [], [], []
        for label, child in node.children:
            if child.kind == "same":
                created.append(f"self.{label} = self.{earlier[child.units % len(earlier)]}" if earlier else "pass")
                continue
            created.append(f"self.{label} = {self.attribute(label, child, before)}")
            earlier.append(label)
            if child.kind in CONTAINERS:
                called.append(f"x = run(self.{label}, x)")
            elif child.kind not in (*IDLE, *OWN_VARIABLES):
                called.append(f"x = self.{label}({_arguments(child)})")
            before = width(child, before)
        name = f"{'Model' if node.kind == 'model' else 'Block'}{len(self.classes) + 1}"
        self.classes.append(
            f"class {name}({base}):\n    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
            + "".join(f"        {line}\n" for line in created)
            + "\n    def call(self, x):\n"
            + "".join(f"        {line}\n" for line in called)
            + "        return x\n"
        )
        return f'{name}(name="{node.name}")' if node.name else f"{name}()"

    def attribute(self, label: str, node: Node, before: int) -> str:
        if node.kind in CONTAINERS:
            parts = []
            for key, child in node.children:
                parts.append((key, self.attribute(key, child, before)))
                before = width(child, before)
            return _container(node.kind, parts)
        if node.kind == "weight":
            return f'self.add_weight(shape=({node.units},), trainable={node.trainable}, name="{label}")'
        return self.idle(node) or self.keras(node, before)

    def idle(self, node: Node) -> str | None:
        if node.kind in IDLE:
            return IDLE[node.kind].format(units=node.units)
        if node.kind in OWN_VARIABLES:
            dtype = f'"{node.dtype}"' if node.dtype else '"float32"'
            return f"tf.Variable(tf.zeros(({node.units},), {dtype}), trainable={node.trainable})"
        return None

    def module(self, node: Node) -> str:
        """A tf.Module with an attribute for each child."""
        created, earlier = [], []
        for label, child in node.children:
            if child.kind == "same":
                created.append(f"self.{label} = self.{earlier[child.units % len(earlier)]}" if earlier else "pass")
                continue
            created.append(f"self.{label} = {self.free(child)}")
            earlier.append(label)
        name = f"Module{len(self.classes) + 1}"
        self.classes.append(
            f"class {name}(tf.Module):\n    def __init__(self):\n        super().__init__()\n"
            + "".join(f"        {line}\n" for line in created)
        )
        return f"{name}()"

    def free(self, node: Node) -> str:
        """The expression of something that nothing calls: Keras layers are built at once."""
        if node.kind in CONTAINERS:
            return _container(node.kind, [(key, self.free(child)) for key, child in node.children])
        if node.kind == "linear":
            self.need("Linear")
            return f"Linear({node.units})"
        if node.kind == "module":
            return self.module(node)
        if (idle := self.idle(node)) is not None:
            return idle
        self.functions += 1
        function = f"make_{self.functions}"
        called = _arguments(node).replace("x", f"tf.zeros((1, {STEPS}, {WIDTH}))")
        self.classes.append(
            f"def {function}():\n    layer = {self.keras(node, WIDTH)}\n    layer({called})\n    return layer\n"
        )
        return f"{function}()"


def _arguments(node: Node) -> str:
    return "x, x" if node.kind == "attention" else "x"


def _container(kind: str, parts: list[tuple[str, str]]) -> str:
    if kind == "dict":
        return "{" + ", ".join(f'"{key}": {value}' for key, value in parts) + "}"
    inner = ", ".join(value for _, value in parts)
    return f"[{inner}]" if kind == "list" else f"({inner}{',' if len(parts) == 1 else ''})"
