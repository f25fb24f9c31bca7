"""An `.h5` of a whole model: really written by `model.save`, loaded by `load_model`, and judged by what that makes."""

import pytest
from conftest import Project, warm_python
from in_process import InProcess

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import migrate
from restore_guard.errors import UsageError

pytestmark = pytest.mark.tensorflow

NET = """\
from tensorflow import keras

from parts import Scale


def build():
    inputs = keras.Input((4,))
    x = Scale(factor=2.0)(keras.layers.Dense(8, name="wide")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2, name="top")(x))
    model.compile(keras.optimizers.Adam(0.01), loss=keras.losses.MeanSquaredError())
    return model
"""
LAYER = """\
from tensorflow import keras


class Scale(keras.layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, shape):
        self.offset = self.add_weight(name="offset", shape=(shape[-1],))

    def call(self, x):
        return x * self.factor + self.offset

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
"""
PATHS = ("h5", "keras-archive")
WHOLE = {"whole_model": "true", "custom_objects": '["parts:Scale"]'}
SUBCLASSED = """\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.top = tf.keras.layers.Dense(2)

    def call(self, x):
        return self.top(x)


def build():
    model = Net()
    model(tf.zeros((1, 4)))
    return model
"""
LAMBDA = """\
from tensorflow import keras


def build():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Lambda(lambda x: 2 * x)(inputs)))
"""


@pytest.fixture(scope="module", params=["keras3", "keras2"])
def python(request):
    python = request.getfixturevalue(request.param)
    with warm_python(python):
        yield python


@pytest.fixture(scope="module")
def base(python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    warm = InProcess(Project(folder / "project", folder / "home"), python)
    warm.project.write({"net.py": NET, "parts.py": LAYER})
    warm.configure(PATHS, **WHOLE)
    written = warm.update()
    assert (written.state, written.findings, written.notes) == ("written", (), ())
    assert "cannot restore" not in written.message
    assert warm.update().state == "unchanged"
    warm.project.commit(message="first")
    return warm.project.root


@pytest.fixture
def warm(base, python, make_repository):
    return InProcess(make_repository(copy_of=base), python)


def test_the_builder_decides_nothing_where_the_file_says_what_to_build(warm):
    warm.project.edit("net.py", 'Dense(8, name="wide")', 'Dense(6, name="broad")')
    warm.project.edit("net.py", "Adam(0.01)", "SGD(0.1, momentum=0.9)")
    for witness, evidence in (("never", "simulated"), ("always", "witnessed")):
        model = warm.check(witness)
        result = model.restores["h5"]
        assert (result.outcome, result.evidence) == ("restores", evidence), result
        assert result.initial == result.unused == ()
        assert result.restored == result.variables > 5, "the optimizer's values are among them"
        assert {finding.rule for finding in model.findings if finding.fails} == {"manifest-stale"}
    assert warm.update().state == "written"
    assert warm.check("never").verdict == "restores"


def test_what_the_code_refuses_of_the_configuration_breaks(warm):
    for old, new in (("factor=1.0", "times=1.0"), ("self.factor = factor", "self.factor = times")):
        warm.project.edit("parts.py", old, new)
    warm.project.edit("parts.py", '"factor": self.factor', '"times": self.factor')
    warm.project.edit("net.py", "factor=2.0", "times=2.0")
    for witness in ("never", "always"):
        model = warm.check(witness)
        assert model.restores["h5"].outcome == "raises", model.restores["h5"]
        assert model.verdict == "breaks"
        (found,) = [finding for finding in model.findings if finding.rule == "config-incompatible"]
        assert set(found.restores) == {"h5", "keras-archive"}
        assert (found.file, found.line) == ("parts.py", 5)
    assert warm.update().state == "refused"


def test_a_weight_that_the_code_makes_in_another_shape_raises(warm):
    warm.project.edit("parts.py", "shape=(shape[-1],)", "shape=(shape[-1], 1)")
    warm.project.edit("parts.py", "+ self.offset", "+ self.offset[:, 0]")
    model = warm.check()
    assert (model.restores["h5"].outcome, model.restores["h5"].evidence) == ("raises", "witnessed")
    assert "shape-changed" in {finding.rule for finding in model.findings if finding.fails}


def test_without_compiling_the_optimizer_stays_in_the_file(warm):
    warm.configure(PATHS, **WHOLE, compile="false")
    assert warm.update().state == "written"
    model = warm.check()
    result = model.restores["h5"]
    assert (result.outcome, result.evidence, result.restored, result.variables) == ("restores", "witnessed", 5, 5)
    assert model.verdict == "restores"


def test_files_of_weights_alone_are_no_promise_of_whole_models(make_repository, python):
    warm = InProcess(make_repository(), python)
    warm.project.write({"net.py": NET, "parts.py": LAYER})
    warm.configure(["h5"], custom_objects=WHOLE["custom_objects"])
    assert warm.update().state == "written"
    warm.project.commit(message="loaded by load_weights")
    warm.configure(["h5"], **WHOLE)
    assert warm.update().state == "written"
    model = warm.check("auto")
    assert model.restores["h5"].outcome == "unsupported" and model.verdict == "restores"
    assert "only the weights are known" in model.restores["h5"].error
    warm.project.commit(message="loaded by load_model")
    warm.project.edit("parts.py", "factor=1.0", "times=1.0")
    warm.project.edit("parts.py", "= factor", "= times")
    warm.project.edit("net.py", "factor=2.0", "times=2.0")
    assert warm.check("never").restores["h5"].outcome == "raises"


def test_what_no_whole_model_can_be_made_of_is_told(make_repository, python):
    warm = InProcess(make_repository(files={"net.py": SUBCLASSED}), python)
    warm.configure(["h5"], whole_model="true")
    assert "h5 is promised and cannot restore even the unchanged model" in warm.update().message
    warm.project.write({"net.py": LAMBDA})
    updated = warm.update()
    assert updated.state == "failed" and "holds the code of a lambda" in updated.message


CARRIED = """\
import sys
import h5py
import numpy as np
import tensorflow as tf
from parts import Scale

model = tf.keras.models.load_model(sys.argv[2], custom_objects={"Scale": Scale})
with h5py.File(sys.argv[1]) as old:
    held = []
    keep = lambda _, item: held.append(item[()]) if isinstance(item, h5py.Dataset) else None
    old["model_weights"].visititems(keep)
scale = model.layers[2]
own = [*model.layers[1].get_weights(), *model.layers[3].get_weights(), np.asarray(scale.offset)]
print(all(any(np.array_equal(value, one) for one in held) for value in own), len(held), np.ptp(np.asarray(scale.gain)))
"""


def test_an_old_file_is_carried_across_and_written_as_a_whole_model(warm, tmp_path):
    old, new = tmp_path / "old.h5", tmp_path / "new.h5"
    warm.project.script(warm.python, f"import net; net.build().save({str(old)!r})")
    added = 'self.gain = self.add_weight(name="gain", shape=(shape[-1],), initializer="ones")\n        self.offset = '
    warm.project.edit("parts.py", "self.offset = ", added)
    warm.project.edit("parts.py", "x * self.factor", "x * self.gain * self.factor")
    assert warm.check().restores["h5"].outcome == "raises"
    assert warm.update(reason="a gain", migrate=True).state == "written"
    with Repository(warm.project.root) as repository:
        run = Run(repository, warm.project.environ)
        done = migrate.migrate(run, migrate.Request(str(old), str(new)), confirm=lambda _: True)
    assert [way.error for way in done.ways] == [None] and done.ways[0].path == "h5"
    assert warm.project.script(warm.python, CARRIED, old, new).split() == ["True", "5", "0.0"]
    model = warm.check()
    assert model.restores["h5"].migration.outcome == "restores", model.restores["h5"]
    assert model.verdict == "restores", [finding.message for finding in model.findings]


def test_a_whole_model_is_pinned_to_no_file(warm, tmp_path):
    file = tmp_path / "model.h5"
    warm.project.script(warm.python, f"import net; net.build().save({str(file)!r})")
    with pytest.raises(UsageError, match="is pinned to values alone"):
        warm.update(checkpoint=str(file))
