"""Where a saved configuration is refused by a class of the repository: at the line that takes its arguments."""

import pytest
from conftest import settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

BASE = """\
from tensorflow import keras


class Gate(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.w = self.add_weight(name="w", shape=(shape[-1], self.units))

    def get_config(self):
        return {**super().get_config(), "units": self.units}
"""
GATES = """\
from tensorflow import keras

from base import Gate


@keras.utils.register_keras_serializable(package="own")
class Glu(Gate):
    def call(self, x):
        return x @ self.w
"""
MODEL = """\
from tensorflow import keras

from gates import Glu


def build():
    inputs = keras.Input((4,))
    return keras.Model(inputs, Glu(3)(inputs))
"""


@pytest.mark.parametrize("framework", ["keras3", "keras2"])
def test_an_argument_of_an_inherited_constructor(framework, request, make_repository):
    project = make_repository()
    models = {"m": 'builder = "model:build"\nrestores = ["keras-archive"]'}
    project.write({"base.py": BASE, "gates.py": GATES, "model.py": MODEL})
    project.write({"pyproject.toml": settings(request.getfixturevalue(framework), models)})
    done = project.run("update")
    assert done.code == 0, done.stdout + done.stderr
    project.commit(message="base")
    for old, new in (("self, units,", "self, width,"), ("= units", "= width"), ('"units"', '"width"')):
        project.edit("base.py", old, new)
    project.git("add", "--all")
    run = project.check("--staged")
    assert run.model("m")["restores"]["keras-archive"]["outcome"] == "raises"
    (told,) = [each for each in run.model("m")["findings"] if each["rule"] != "manifest-stale"]
    assert (told["rule"], told["file"], told["line"]) == ("config-incompatible", "base.py", 5)
