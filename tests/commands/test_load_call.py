"""The verdict is of the team's load call: what `load` says is simulated, and really called by the witness."""

import pytest
from conftest import Project, warm_python
from in_process import InProcess

pytestmark = pytest.mark.tensorflow

LAYER = """\
from tensorflow import keras


class Scale(keras.layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(name="factor", shape=(shape[-1],))

    def call(self, x):
        return x * self.factor
"""
NET = """\
from tensorflow import keras

from parts import Scale


def build():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="wide"), Scale(), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    return model
"""
NAMED = '["parts:Scale"]'
PATHS = ("keras-weights", "keras-archive", "h5-by-name")


@pytest.fixture(scope="module", params=["keras3", "keras2"])
def python(request):
    python = request.getfixturevalue(request.param)
    with warm_python(python):
        yield python


@pytest.fixture(scope="module")
def base(python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("loading")
    warm = InProcess(Project(folder / "project", folder / "home"), python)
    warm.project.write({"net.py": NET, "parts.py": LAYER})
    warm.configure(PATHS, custom_objects=NAMED)
    assert warm.update().state == "written"
    warm.project.commit(message="first")
    return warm.project.root


@pytest.fixture
def warm(base, python, make_repository):
    return InProcess(make_repository(copy_of=base), python)


def test_a_class_that_moved_is_found_by_the_custom_objects_of_the_load_call(warm):
    warm.project.write({"layers.py": LAYER, "parts.py": ""})
    warm.project.edit("net.py", "from parts", "from layers")
    model = warm.check(witness="never")
    assert model.restores["keras-archive"].outcome == "raises" and model.verdict == "breaks"
    assert "load.custom_objects names parts:Scale, which is not there" in model.restores["keras-archive"].error
    assert model.restores["keras-weights"].outcome == "restores"
    warm.configure(PATHS, custom_objects='["layers:Scale"]')
    model = warm.check()
    result = model.restores["keras-archive"]
    assert (result.outcome, result.evidence, result.restored) == ("restores", "witnessed", result.variables)
    assert {finding.rule for finding in model.findings if finding.fails} == {"manifest-stale"}


def test_what_is_loaded_without_compiling_leaves_the_optimizer_in_the_file(warm):
    warm.configure(PATHS, custom_objects=NAMED, compile="false")
    assert warm.update().state == "written"
    model = warm.check()
    result = model.restores["keras-archive"]
    assert (result.outcome, result.evidence, result.unused) == ("restores", "witnessed", ())
    assert result.variables == 5  # none of the optimizer's
    assert model.verdict == "restores", [finding.message for finding in model.findings]


@pytest.mark.parametrize("python", ["keras3"], indirect=True)  # the pairs have it on all frameworks
def test_what_is_skipped_keeps_its_initial_value_and_is_told(warm):
    warm.project.edit("net.py", "Dense(8, ", "Dense(6, ")
    warm.configure(PATHS, custom_objects=NAMED, skip_mismatch="true")
    model = warm.check()
    for path in ("keras-weights", "h5-by-name"):
        result = model.restores[path]
        assert (result.outcome, result.evidence) == ("partial", "witnessed"), path
        assert {"wide/kernel", "wide/bias"} <= {name.split("sequential/")[-1] for name in result.initial}, (
            result.initial
        )
    # `load_model` has no such argument, but makes the model that the file describes.
    assert model.restores["keras-archive"].outcome == "restores"
    assert model.verdict == "breaks"
