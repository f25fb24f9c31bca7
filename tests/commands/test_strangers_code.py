"""Code as strangers write it: what a builder asks for, hides and raises. One build of each, in one Python."""

import pytest
from conftest import Project, settings

pytestmark = pytest.mark.tensorflow

FILES = {
    "run.py": "raise RuntimeError('the run.py of the root is a script')\n",
    "tf2/run.py": """\
from tensorflow import keras


def build():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
""",
    "tuples.py": """\
from __future__ import annotations
from tensorflow import keras


def build(shape=(1, 1), pairs=((1, 2),), names={"a": (1,)}, free=[1], *, sizes: tuple[int, ...]):
    for value in (shape, pairs, pairs[1], names["a"], sizes):
        assert isinstance(value, tuple), value
    assert isinstance(free, list)
    return keras.Sequential([keras.Input(shape), *(keras.layers.Dense(size) for size in sizes)])


class Made(keras.Model):
    def __init__(self, sizes=(1,)):
        super().__init__()
        self.dense = keras.layers.Dense(sizes[0])
        assert sizes == (2, 3)

    def call(self, x):
        return self.dense(x)
""",
    "hidden.py": """\
import tensorflow as tf
from tensorflow import keras


class Settings:
    def __init__(self):
        self.table = {"depth": 2}

    def __getattr__(self, name):
        return self.__dict__["table"][name]


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.settings = Settings()
        self.dense = keras.layers.Dense(2)

    @property
    def variables(self):
        raise RuntimeError("not before the first call")


def build():
    model = Net()
    model.dense(tf.zeros([1, 3]))
    model.built = True
    return model


class Direct(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def __call__(self, x):
        return self.dense(x)


def direct():
    model = Direct()
    model(tf.zeros([1, 3]))
    return model
""",
    "failing.py": """\
import helper
from tensorflow import keras


def build():
    return helper.head(keras.Input((8,)))
""",
    "helper.py": """\
from tensorflow import keras


def head(x):
    return keras.Model(x, keras.layers.Reshape((7, 7))(x))
""",
    "dynamic.py": """\
import importlib
import os

PARTS = sorted(name[:-3] for name in os.listdir(os.path.join(os.path.dirname(__file__), "parts")) if name[0] != "_")


def build():
    return importlib.import_module("parts." + PARTS[0]).build()
""",
    "parts/net.py": """\
from tensorflow import keras


def build():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
""",
}
MODELS = {
    "shadowed": 'builder = "run:build"',
    "tuples": 'builder = "tuples:build"\n'
    "kwargs = { shape = [4], pairs = [[1, 2], [3, 4]], names = { a = [2] }, sizes = [3] }",
    "made": 'builder = "tuples:Made"\nkwargs = { sizes = [2, 3] }\ninputs = [{ shape = [4] }]',
    "hidden": 'builder = "hidden:build"\nrestores = ["tf-checkpoint"]',
    "direct": 'builder = "hidden:direct"\nrestores = ["tf-checkpoint"]',
    "failing": 'builder = "failing:build"',
    "dynamic": 'builder = "dynamic:build"',
}


@pytest.fixture(scope="module")
def checked(keras3, tmp_path_factory):
    """What a check says after a file changed that only one model reads, by a computed name."""
    folder = tmp_path_factory.mktemp("strangers")
    project = Project(folder / "project", folder / "home")
    project.commit({**FILES, "pyproject.toml": settings(keras3, MODELS, timeout=120, pythonpath=["tf2"])})
    project.edit("parts/net.py", "Dense(2)", "Dense(5)")
    return project.check("--witness", "never")


@pytest.mark.parametrize(
    ("name", "variables"), [("shadowed", 2), ("tuples", 2), ("made", 2), ("hidden", 2), ("direct", 2)]
)
def test_models_of_strangers_build(checked, name, variables):
    model = checked.model(name)
    assert (model["verdict"], model["variables"]) == ("restores", variables), model["findings"]


def test_the_failing_line_is_the_repositorys_own(checked):
    """The finding stands there, and neither Keras's frames nor its banners are repeated."""
    found = [finding for finding in checked.model("failing")["findings"] if finding["rule"] == "build-failed"]
    assert [(finding["file"], finding["line"]) for finding in found] == [("helper.py", 5)]
    assert "Arguments received" not in found[0]["message"] and "\x1b" not in found[0]["message"]


def test_a_model_without_a_manifest_is_built_whatever_changed(checked):
    """No import leads to the changed file: nobody knows yet what the build reads."""
    dynamic = checked.model("dynamic")
    assert dynamic["verdict"] == "breaks"
    assert "shape-changed" in {finding["rule"] for finding in dynamic["findings"]}
