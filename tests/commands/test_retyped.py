"""What is said of objects of another class whose every value still restores: once for all that one line made."""

import pytest
from conftest import settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

TRAINING = """\
import tensorflow as tf
from tensorflow import keras


def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    return tf.train.Checkpoint(model=model, optimizer=optimizer)
"""
BLOCKS = """\
import tensorflow as tf


class Experts(tf.Module):
    def __init__(self):
        super().__init__()
        self.ways = [tf.Variable(tf.ones(3)) for _ in range(2)]
        self.gates = {"in": tf.Variable(tf.ones(2)), "out": tf.Variable(tf.ones(2))}


class SparseExperts(Experts):
    def top(self):
        return self.ways[0]


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.blocks = [Experts() for _ in range(3)]


def build():
    return Net()
"""


@pytest.fixture
def found(make_repository):
    """`found(python, base, head)`: the findings of one edit that say nothing of manifests."""

    def check(python, base, head):
        project = make_repository()
        models = {"m": 'builder = "model:build"\nrestores = ["tf-checkpoint"]'}
        project.write({"model.py": base, "pyproject.toml": settings(python, models)})
        done = project.run("update")
        assert done.code == 0, done.stdout + done.stderr
        project.commit(message="base")
        project.write({"model.py": head})
        project.git("add", "--all")
        return [each for each in project.check("--staged").model("m")["findings"] if each["rule"] != "manifest-stale"]

    return check


@pytest.mark.parametrize("python", ["keras3", "keras2"])
def test_the_slots_of_another_optimizer_are_no_objects_of_their_own(python, request, found):
    (told,) = found(request.getfixturevalue(python), TRAINING, TRAINING.replace("Adam(", "AdamW("))
    assert (told["rule"], told["line"], told["count"]) == ("layer-type-changed", 7, 1)
    assert told["message"].startswith("optimizer was an Adam and is now an AdamW. Every value still restores;")


def test_what_an_optimizer_without_those_slots_loses_is_told_once(keras3, found):
    (told,) = found(keras3, TRAINING, TRAINING.replace("Adam(0.1)", "SGD(0.1, momentum=0.9)"))
    assert (told["rule"], told["level"], told["line"]) == ("layer-type-changed", "error", 7)


def test_a_class_of_many_instances_is_told_once(keras3, found):
    (told,) = found(keras3, BLOCKS, BLOCKS.replace("[Experts()", "[SparseExperts()"))
    assert (told["rule"], told["line"], told["count"]) == ("layer-type-changed", 19, 3)
    assert "blocks/* were each an Experts and are now a SparseExperts. Every value still restores" in told["message"]
