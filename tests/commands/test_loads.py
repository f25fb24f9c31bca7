"""Two builders in one promise: checkpoints of `train` are also restored into `serving`."""

import pytest
from conftest import Project, settings, warm_python

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import update as updating
from restore_guard.commands.check import check, select

pytestmark = pytest.mark.tensorflow

TRAIN = """\
import tensorflow as tf
from tensorflow import keras


class Train(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = keras.layers.Dense(8)
        self.auxiliary = keras.layers.Dense(3)

    def call(self, x):
        x = self.body(x)
        return x, self.auxiliary(x)


def build():
    model = Train()
    model(tf.zeros((1, 4)))
    model.compile("adam", "mse")
    return model
"""
SERVE = """\
import tensorflow as tf
from tensorflow import keras


class Serve(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = keras.layers.Dense(8)

    def call(self, x):
        return self.body(x)


def build():
    model = Serve()
    model(tf.zeros((1, 4)))
    return model
"""
MODELS = {
    "train": 'builder = "train:build"\nrestores = ["tf-checkpoint"]\nloads = ["serving"]',
    "serving": 'builder = "serve:build"\nrestores = ["tf-checkpoint"]',
}


class Warm:
    """A repository, and the commands in this process with a Python that is warm already."""

    def __init__(self, project):
        self.project = project

    def update(self, *names, **options):
        with Repository(self.project.root) as repository:
            run = Run(repository, self.project.environ)
            return {one.name: one for one in updating.update(run, names=names, **{"reason": None, **options})}

    def sides(self, repository):
        return Sides(repository.head(), repository.worktree())

    def check(self, *names, witness="auto"):
        with Repository(self.project.root) as repository:
            run = Run(repository, self.project.environ)
            result = check(run, self.sides(repository), names=names, witness=witness)
        return result.exit_code, {model.name: model for model in result.models}

    def chosen(self):
        with Repository(self.project.root) as repository:
            return select(repository, self.sides(repository)).chosen


@pytest.fixture(scope="module")
def base(keras3, tmp_path_factory):
    """The committed models with their manifests, and a warm Python."""
    folder = tmp_path_factory.mktemp("loads")
    project = Project(folder / "project", folder / "home")
    with warm_python(keras3):
        files = {"train.py": TRAIN, "serve.py": SERVE}
        project.write({**files, "pyproject.toml": settings(keras3, MODELS, timeout=120)})
        done = Warm(project).update()
        assert {name: one.state for name, one in done.items()} == {"train": "written", "serving": "written"}
        told = {(finding.rule, finding.status) for finding in done["train"].findings}
        assert told == {("variable-missing", "pre-existing")}
        (message,) = [finding.message for finding in done["train"].findings]
        assert message.startswith("Checkpoints of train restored into serving: "), message
        project.commit(message="first")
        yield project.root


@pytest.fixture
def warm(base, make_repository):
    return Warm(make_repository(copy_of=base))


def rename(warm):
    """Of `serving` alone: its own checkpoints break, and those of `train` in it."""
    warm.project.edit("serve.py", "self.body = ", "self.dense = ")
    warm.project.edit("serve.py", "self.body(", "self.dense(")


def across(model):
    return [finding for finding in model.findings if "restored into serving" in finding.message]


def test_a_change_of_the_other_model_alone_is_judged_and_stands_in_its_file(warm):
    rename(warm)
    assert warm.chosen() == ["train", "serving"]
    code, models = warm.check()
    assert code == 1
    (lost,) = [finding for finding in across(models["train"]) if finding.fails]
    assert lost.message.startswith("Checkpoints of train restored into serving: ")
    assert (lost.rule, lost.file, lost.line) == (
        "variable-renamed",
        "serve.py",
        warm.project.line("serve.py", "self.dense ="),
    )
    assert lost.fix.endswith('It is accepted by restore-guard update train --accept-break "REASON"')
    # What the two never shared is no news; what only the optimizer holds is no loss at all.
    (before,) = [finding for finding in across(models["train"]) if finding.status == "pre-existing"]
    assert before.variables == ("auxiliary/kernel", "auxiliary/bias")
    said = "Checkpoints of train restored into serving: tf-checkpoint partial (witnessed)."
    assert said in models["train"].notes, models["train"].notes


def test_new_checkpoints_are_judged_where_only_the_model_that_saves_has_changed(warm):
    warm.project.edit("train.py", "self.body = ", "self.dense = ")
    warm.project.edit("train.py", "self.body(", "self.dense(")
    assert warm.chosen() == ["train"]
    done = warm.update("train", reason="names follow the paper", migrate=True)
    assert "accepted" in {finding.status for finding in done["train"].findings if "into serving" in finding.message}
    warm.project.git("checkout", "--quiet", "restore-manifest")
    code, models = warm.check("train")
    assert code == 1
    (lost,) = [finding for finding in across(models["train"]) if finding.fails]
    assert lost.message.startswith("New checkpoints of train restored into serving: ")


def test_update_refuses_a_loss_in_the_other_model_and_records_why_it_is_accepted(warm):
    rename(warm)
    done = warm.update("serving")
    assert {name: one.state for name, one in done.items()} == {"train": "refused", "serving": "refused"}
    done = warm.update("serving", reason="the paper's names")
    assert {name: one.state for name, one in done.items()} == {"train": "written", "serving": "written"}
    assert "a loss in serving was accepted: the paper's names" in done["train"].message
    code, models = warm.check()
    assert code == 0, [finding.message for finding in models["train"].findings if finding.fails]
    told = across(models["train"])
    assert "accepted" in {finding.status for finding in told}
    assert "auxiliary/kernel" in {variable for finding in told for variable in finding.variables}
    assert {finding.status for finding in told} <= {"accepted", "pre-existing"}
    manifest = (warm.project.root / "restore-manifest/train.json").read_bytes()
    assert {one.state for one in warm.update().values()} == {"unchanged"}
    assert (warm.project.root / "restore-manifest/train.json").read_bytes() == manifest


def test_a_release_in_service_is_restored_into_the_other_model_too(warm):
    warm.project.git("tag", "v1")
    text = (warm.project.root / "pyproject.toml").read_text()
    warm.project.write({"pyproject.toml": text.replace("timeout = 120", 'timeout = 120\nreleases = ["v*"]')})
    # Both change alike, and the change before this one is what is compared with.
    for file in ("train.py", "serve.py"):
        warm.project.edit(file, "self.body = ", "self.dense = ")
        warm.project.edit(file, "self.body(", "self.dense(")
    warm.update(reason="the paper's names")
    warm.project.commit(message="second")
    warm.project.edit("serve.py", "return self.dense(x)", "return 1 * self.dense(x)")
    code, models = warm.check("train", witness="never")
    found = {finding.message.partition(":")[0]: finding.status for finding in across(models["train"])}
    assert found["Checkpoints of train of v1 restored into serving"] == "accepted"


def test_a_model_that_does_not_build_leaves_those_unchecked_that_are_loaded_into_it(warm):
    warm.project.edit("serve.py", "model = Serve()", "raise RuntimeError('no')")
    code, models = warm.check()
    assert code == 3 and models["train"].verdict == "unchecked"
    assert any("restored into serving, which could not be built" in note for note in models["train"].notes)
