"""What is said of a module that went elsewhere alone, out of something that stayed or into it."""

import pytest
from conftest import settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

AGENT = """\
import tensorflow as tf


class Linear(tf.Module):
    def __init__(self, units):
        super().__init__()
        self.units, self.w = units, None

    def __call__(self, x):
        if self.w is None:
            self.w = tf.Variable(tf.ones((x.shape[-1], self.units)))
        return x @ self.w


class Agent(tf.Module):
    def __init__(self):
        super().__init__()
        self.torso = Linear(6)
        self.policy = Linear(4)
        self.value = Linear(1)

    def __call__(self, x):
        h = self.torso(x)
        return self.policy(h), self.value(h)


class Learner(tf.Module):
    def __init__(self):
        super().__init__()
        self.online = Agent()

    def __call__(self, x):
        return self.online(x)


def build():
    learner = Learner()
    learner(tf.zeros((1, 5)))
    return learner
"""
UP = [
    ("        self.value = Linear(1)\n", ""),
    ("self.policy(h), self.value(h)", "self.policy(h)"),
    ("        self.online = Agent()\n", "        self.online = Agent()\n        self.value = Linear(1)\n"),
    ("return self.online(x)", "return self.online(x), self.value(self.online.torso(x))"),
]
WHOLE = [
    ("        self.online = Agent()\n", "        self.agents = Agents()\n"),
    ("self.online(x)", "self.agents.online(x)"),
    (
        "class Learner",
        "class Agents(tf.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.online = Agent()\n\n\nclass Learner",
    ),
]

STEPS = """\
from tensorflow import keras


def build():
    steps = keras.Input((5, 4))
    told = keras.layers.Dense(3)
    return keras.Model(steps, told(steps))
"""
AROUND = [("keras.layers.Dense(3)\n", "keras.layers.TimeDistributed(keras.layers.Dense(3))\n")]


@pytest.fixture
def found(keras3, make_repository):
    """`found(base, edits)`: (the finding, the line on which it stands) of a change."""

    def check(base, edits):
        project = make_repository()
        models = {"m": 'builder = "model:build"\nrestores = ["tf-checkpoint"]'}
        project.write({"model.py": base, "pyproject.toml": settings(keras3, models)})
        done = project.run("update")
        assert done.code == 0, done.stdout + done.stderr
        project.commit(message="base")
        project.write({"model.py": edited(base, edits)})
        project.git("add", "--all")
        (told,) = project.check("--staged").model("m")["findings"]
        return told, (project.root / "model.py").read_text().splitlines()[told["line"] - 1].strip()

    return check


def edited(text, edits):
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_a_module_that_went_up_out_of_one_that_stayed(found):
    told, line = found(AGENT, UP)
    assert (told["rule"], line) == ("variable-renamed", "self.value = Linear(1)")
    assert told["message"].startswith("online/value moved to value (1 variable: w).")


def test_a_module_that_went_down_into_one_that_stayed(found):
    into = ("Linear(4)\n", "Linear(4)\n        self.value = Linear(1)\n")
    told, line = found(edited(AGENT, UP), [into, *((new, old) for old, new in reversed(UP[1:]))])
    assert (told["rule"], line) == ("variable-renamed", "self.value = Linear(1)")
    assert told["message"].startswith("value/w moved below online (1 variable: value/w).")


def test_all_of_a_module_moves_as_one(found):
    told, line = found(AGENT, WHOLE)
    assert told["rule"] == "variable-renamed"
    assert told["message"].startswith("The model moved below agents (3 variables:")


@pytest.mark.parametrize(
    ("base", "edits", "said"),
    [
        (STEPS, AROUND, "dense was wrapped: it is time_distributed/layer now"),
        (
            edited(STEPS, AROUND),
            [(new, old) for old, new in AROUND],
            "time_distributed/layer was unwrapped: it is dense now",
        ),
    ],
    ids=["wrapped", "unwrapped"],
)
def test_a_layer_that_is_put_into_another_one_or_taken_out_of_it(found, base, edits, said):
    told, _ = found(base, edits)
    assert (told["rule"], told["line"]) == ("variable-renamed", 6)
    assert told["message"].startswith(said)
