"""Models of layers that are alike, each with a role that its line of source tells: which value belongs where.

The role is what a layer computes from its variables. It stays with the layer wherever a change puts it, so that a value
which a restore gives to another role is misplaced, whatever either is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from restore_guard.signature import Variable

LABELS = ("query", "key", "value", "gate", "out", "aaa")
_HEAD = """\
import tensorflow as tf
from tensorflow import keras


def role(number):
    return lambda x: tf.sin(number * x)


"""
_DENSE = "keras.layers.Dense(3, activation=role({role}))"
_NAMED = _DENSE[:-1] + ', name="{label}")'
_CLASS = "class Model(keras.Model):\n    def __init__(self):\n        super().__init__()"
_CALL = """
    def call(self, x):
        return tf.concat([part(x) for part in {parts}], -1)


def build():
    model = Model()
    model(tf.zeros((1, 3)))
    return model"""
_SEQUENTIAL = "def build():\n    return keras.Sequential([\n        keras.Input((3,)),"
_INPUTS = "def build():\n    inputs = keras.Input((3,))"
_OUTPUTS = "    return keras.Model(inputs, keras.layers.Concatenate()([{results}]))"

# {form: (each layer's line, what goes before the lines, what goes after them)}
FORMS = {
    "sequential": (f"        {_DENSE},", _SEQUENTIAL, "    ])"),
    "attributes": (f"        self.{{label}} = {_DENSE}", _CLASS, _CALL.replace("{parts}", "({calls},)")),
    "list": (f"            {_DENSE},", _CLASS + "\n        self.parts = [", "        ]\n" + _CALL),
    "dict": (f'            "{{label}}": {_DENSE},', _CLASS + "\n        self.parts = {{", "        }}\n" + _CALL),
    "functional": (f"    {{label}} = {_DENSE}(inputs)", _INPUTS, _OUTPUTS),
    "named": (f"    {{label}} = {_NAMED}(inputs)", _INPUTS, _OUTPUTS),
}

_USED_BY_LABEL = ("attributes", "functional", "named")

# The layers of a model, as their lines stand: (role, label).
Layers = Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Pair:
    base: str
    head: str


def render(form: str, layers: Layers) -> str:
    line, before, after = FORMS[form]
    ranked = [label for _, label in sorted(layers)]  # whatever is done to the lines, each role is used as it was
    calls, results = ", ".join(f"self.{label}" for label in ranked), ", ".join(ranked)
    parts = "self.parts.values()" if form == "dict" else "self.parts"
    lines = [line.format(role=role, label=label) for role, label in layers]
    return _HEAD + "\n".join([before.format(), *lines, after.format(calls=calls, results=results, parts=parts)]) + "\n"


def role(variable: Variable, text: str) -> int | None:
    """The role of a variable, from the line that created its layer."""
    at = variable.site
    found = re.search(r"role\((\d+)\)", text.splitlines()[at.line - 1]) if at is not None else None
    return int(found[1]) if found else None


def misplaced(assigned: Mapping[str, str], news: Mapping[str, int], olds: Mapping[str, int]) -> dict[str, str]:
    """{variable of the model: the saved variable of another role whose value it got}; both roles by variable."""
    return {new: old for new, old in assigned.items() if news[new] != olds[old]}


@st.composite
def pairs(draw):
    form = draw(st.sampled_from(tuple(FORMS)))
    base = list(enumerate(draw(st.permutations(LABELS))[: draw(st.integers(2, 4))], 1))
    head = list(base)
    # Which labels were exchanged can be told as long as all is used as before: nothing else happens to such a model.
    exchanged = draw(st.booleans())
    moves = () if exchanged and form not in _USED_BY_LABEL else draw(st.sampled_from(((), ("move",), ("move", "move"))))
    # A layer that goes where another one comes is a layer that was edited.
    further = ("exchange",) if exchanged else draw(st.sampled_from(((), ("insert",), ("remove",))))
    for change in (*moves, *further):
        at, other = draw(st.integers(0, len(head) - 1)), draw(st.integers(0, len(head) - 1))
        if change == "move":
            head.insert(other, head.pop(at))
        elif change == "exchange":
            (one, first), (two, second) = head[at], head[other]
            if at != other:
                head[at], head[other] = (one, second), (two, first)
        elif change == "insert":
            head.insert(at, (9, next(label for label in LABELS if label not in {taken for _, taken in head})))
        else:
            del head[at]
    return Pair(render(form, base), render(form, head))
