"""Checks of models as they are saved and restored in production: in all situations, with the user's own settings."""

import pytest
from conftest import settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

COMPILED = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(4)
        self.out = keras.layers.Dense(2)

    def call(self, x):
        return self.out(self.hidden(x))


def build():
    model = Net()
    model(tf.zeros((1, 3)))
    model.compile(optimizer="adam", loss="mse")
    return model
"""
LAZY = """\
import tensorflow as tf


class Flexible(tf.Module):
    def __init__(self, width):
        super().__init__()
        self.width, self.ready = width, False

    def __call__(self, x):
        if not self.ready:
            self.w = tf.Variable(tf.random.normal([x.shape[-1], self.width]))
            self.ready = True
        return x @ self.w


def build():
    module = Flexible(5)
    module(tf.zeros((1, 3)))
    return module
"""
SEQUENTIAL = """\
import tensorflow as tf
from tensorflow import keras


def build():
    return keras.Sequential([
        keras.Input((5,)),
        keras.layers.Dense(2),
    ])
"""
POLICY = """\
from tensorflow import keras


def build():
    keras.mixed_precision.set_global_policy("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="b")])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model
"""
EAGER_OFF = """\
import tensorflow as tf

tf.compat.v1.disable_eager_execution()
keras = tf.keras


def build():
    x = keras.Input((8,))
    return keras.Model(x, keras.layers.Dense(2, name="out")(keras.layers.Dense(4, name="units")(x)))
"""


FLAGGED = """\
import tensorflow as tf


def build():
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3)])
"""
FLAG = 'import os\n\nos.environ["TF_USE_LEGACY_KERAS"] = "1"\n'


@pytest.fixture
def changed(make_repository):
    """`changed(python, base, head, restores)`: what a check of one edit says, by restore path."""

    def check(python, base, head, restores):
        project = make_repository()
        models = {"m": f'builder = "model:build"\nrestores = {list(restores)}'}
        project.write({"model.py": base, "pyproject.toml": settings(python, models)})
        done = project.run("update")
        assert done.code == 0, done.stdout + done.stderr
        project.commit(message="base")
        project.write({"model.py": head})
        project.git("add", "--all")
        return project.check("--staged").model("m")["restores"]

    return check


def test_a_renamed_layer_of_a_compiled_model_is_lost_where_it_is_served(keras3, changed):
    found = changed(keras3, COMPILED, COMPILED.replace("hidden", "body"), ["tf-checkpoint"])["tf-checkpoint"]
    assert (found["outcome"], found["initial"]) == ("partial", ["body/kernel", "body/bias"])
    assert (found["restored"], found["variables"]) == (4, 6)
    assert found["situation"] == {"saved": "trained", "restored": "untrained"}


def test_a_compiled_model_whose_change_is_harmless_restores(keras3, changed):
    head = COMPILED.replace("self.out(self.hidden(x))", "self.out(tf.nn.relu(self.hidden(x)))")
    found = changed(keras3, COMPILED, head, ["tf-checkpoint", "keras-weights"])
    assert {path: (one["outcome"], one["situation"]) for path, one in found.items()} == dict.fromkeys(
        ("tf-checkpoint", "keras-weights"), ("restores", None)
    )


@pytest.mark.parametrize("keras", ["keras3", "keras2"])
def test_a_module_that_makes_its_variables_when_it_is_called_restores_then(request, changed, keras):
    head = LAZY.replace("    module(tf.zeros((1, 3)))\n", "")
    found = changed(request.getfixturevalue(keras), LAZY, head, ["tf-checkpoint"])["tf-checkpoint"]
    assert (found["outcome"], found["restored"], found["unused"]) == ("restores", 1, [])


@pytest.mark.parametrize("keras", ["keras3", "keras2"])
def test_weights_cannot_be_loaded_before_the_first_call_of_a_model_that_no_input_builds(request, changed, keras):
    head = SEQUENTIAL.replace("        keras.Input((5,)),\n", "")
    paths = ["tf-checkpoint", "keras-weights", "h5"]
    found = changed(request.getfixturevalue(keras), SEQUENTIAL, head, paths)
    assert [found[path]["outcome"] for path in paths] == ["restores", "raises", "raises"]
    assert found["h5"]["situation"]["restored"] == "uncalled"


def test_a_policy_that_the_builder_sets_holds_for_an_archive_too(keras3, changed):
    found = changed(keras3, POLICY, POLICY.replace('"float32"', '"mixed_float16"'), ["keras-archive"])
    assert found["keras-archive"]["outcome"] == "partial"


@pytest.mark.parametrize(
    ("old", "new", "outcomes"),
    [
        ("Dense(4", "Dense(6", {"h5": "raises", "tf-checkpoint": "restores"}),
        ('name="units")', 'name="units", activation="relu")', {"h5": "restores", "tf-checkpoint": "restores"}),
    ],
)
def test_without_eager_execution_values_go_through_the_session_of_keras(keras2, changed, old, new, outcomes):
    found = changed(keras2, EAGER_OFF, EAGER_OFF.replace(old, new), list(outcomes))
    assert {path: one["outcome"] for path, one in found.items()} == outcomes
    # A witness draws values and inputs that only eager execution has; the report says that it could not be tried.
    assert {one["evidence"] for one in found.values()} == {"simulated"}
    assert bool(found["tf-checkpoint"]["misplaced"]) == ("raises" in outcomes.values())  # it takes the saved shape


def test_a_flag_that_the_code_sets_is_there_when_tensorflow_is_imported(tensorflow218, changed):
    found = changed(tensorflow218, FLAGGED, FLAG + FLAGGED, ["tf-checkpoint", "keras-weights"])
    assert (found["tf-checkpoint"]["outcome"], found["tf-checkpoint"]["restored"]) == ("partial", 0)
    assert found["keras-weights"]["outcome"] == "restores"
