"""What is said where every value arrives, and the model computes something else or nothing at all."""

import pytest
from conftest import settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

SCALED = """\
from tensorflow import keras


def build():
    x = inputs = keras.Input((4,))
    x = keras.layers.Dense(3, name="hidden")(x)
    x = keras.layers.Activation("relu")(x)
    return keras.Model(inputs, keras.layers.Dense(2, name="out")(x))
"""
WORDS = """\
from tensorflow import keras

VOCABULARY = ["red", "green", "blue"]


def build():
    words = keras.Input((), dtype="string", name="word")
    numbers = keras.layers.StringLookup(vocabulary=VOCABULARY, num_oov_indices=1)(words)
    return keras.Model({"word": words}, keras.layers.Embedding(4, 2)(numbers))
"""
ADAPTED = """\
import numpy as np
from tensorflow import keras


def build():
    normalize = keras.layers.Normalization(axis=-1)
    normalize.adapt(np.arange(12, dtype="float32").reshape(4, 3))
    numbers = keras.Input((3,), name="numbers")
    return keras.Model(numbers, keras.layers.Dense(2)(normalize(numbers)))
"""
TEXTS = """\
from tensorflow import keras


def build():
    texts = keras.Input((1,), dtype="string")
    apart = keras.layers.TextVectorization(
        vocabulary=["good", "film", "bad"], standardize="lower_and_strip_punctuation", split="whitespace"
    )
    return keras.Model(texts, keras.layers.Embedding(5, 2)(apart(texts)))
"""
WITH_TWO = ("num_oov_indices=1", "num_oov_indices=2")
EDITS = {
    "scaled": (SCALED, [('"relu"', '"tanh"')]),
    "words": (WORDS, [WITH_TWO]),
    "renamed": (WORDS, [WITH_TWO, ('{"word": words}', '{"token": words}')]),
    "stripped": (TEXTS, [("lower_and_strip_punctuation", "lower")]),
    "cased": (TEXTS, [("lower_and_strip_punctuation", "strip_punctuation")]),
    "split": (TEXTS, [('"whitespace"', '"character"')]),
    "adapted": (ADAPTED, [("Dense(2)", 'Dense(2, activation="linear")')]),
}
DEFAULT = '["tf-checkpoint", "keras-weights"]'
PATHS = {"scaled": '["keras-weights", "keras-archive"]'}


@pytest.fixture(scope="module", params=["keras3", "keras2"])
def checked(request, tmp_path_factory):
    from conftest import Project

    folder = tmp_path_factory.mktemp(f"other-outputs-{request.param}")
    project = Project(folder / "project", folder / "home")
    models = {name: f'builder = "{name}:build"\nrestores = {PATHS.get(name, DEFAULT)}' for name in EDITS}
    project.write({"pyproject.toml": settings(request.getfixturevalue(request.param), models)})
    project.write({f"{name}.py": base for name, (base, _) in EDITS.items()})
    done = project.run("update")
    assert done.code == 0, done.stdout + done.stderr
    assert "behaviour-changed" not in done.stdout + done.stderr
    project.commit(message="base")
    for name, (_, edits) in EDITS.items():
        for old, new in edits:
            project.edit(f"{name}.py", old, new)
    project.git("add", "--all")
    run = project.check("--staged")

    def told(name):
        return [each for each in run.model(name)["findings"] if each["rule"] != "manifest-stale"]

    return run, told


def test_a_model_that_is_made_as_its_file_describes_it_says_nothing_of_the_code(checked):
    (told,) = checked[1]("scaled")
    assert (told["rule"], told["level"], told["line"]) == ("behaviour-changed", "warning", 7)
    assert told["restores"] == ["keras-weights"]
    assert "By keras-archive they are the same: the file describes the model as it was" in told["message"]
    assert "computed anew" not in told["message"]


def test_a_model_that_raises_where_the_old_one_computed_something_is_told(checked):
    (told,) = checked[1]("words")
    assert (told["rule"], told["level"], told["line"]) == ("behaviour-changed", "warning", 8)
    assert told["restores"] == ["tf-checkpoint", "keras-weights"]
    assert "from which the old model computed something, it raises: InvalidArgumentError" in told["message"]


def test_inputs_of_another_name_are_all_that_is_told_of_a_model_that_takes_no_old_ones(checked):
    assert [each["rule"] for each in checked[1]("renamed") if each["rule"] == "inputs-changed"] == ["inputs-changed"]
    assert not [each for each in checked[1]("renamed") if "it raises" in each["message"]]


def test_what_a_builder_has_adapted_keeps_what_it_has_computed_from_that(checked):
    """Keras 2 makes the variables of an adapted layer within a tf.function."""
    run, told = checked
    assert told("adapted") == []
    assert {one["outputs"] for one in run.model("adapted")["restores"].values()} == {"same"}


def test_a_constant_in_a_file_of_its_own_is_where_the_outputs_changed(keras3, make_repository):
    project = make_repository()
    model = SCALED.replace(
        "from tensorflow import keras\n", "from tensorflow import keras\n\nfrom numbers_of import KIND\n"
    )
    models = {"m": 'builder = "model:build"\nrestores = ["keras-weights"]'}
    project.write({"model.py": model.replace('"relu"', "KIND"), "numbers_of.py": '"""Settings."""\n\nKIND = "relu"\n'})
    project.write({"pyproject.toml": settings(keras3, models)})
    assert project.run("update").code == 0
    project.commit(message="base")
    project.edit("numbers_of.py", '"relu"', '"tanh"')
    project.git("add", "--all")
    (told,) = [each for each in project.check("--staged").model("m")["findings"] if each["rule"] != "manifest-stale"]
    assert (told["rule"], told["file"], told["line"]) == ("behaviour-changed", "numbers_of.py", 3)


@pytest.mark.parametrize("name", ["stripped", "cased", "split"])
def test_texts_are_taken_apart_in_another_way(checked, name):
    (told,) = checked[1](name)
    assert told["rule"] == "behaviour-changed" and "the same input" in told["message"], told["message"]
