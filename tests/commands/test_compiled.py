"""Optimizer state that a restore path never holds is no loss, and does not hide what else changed."""

import pytest
from conftest import Project, settings, warm_python

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import update as updating
from restore_guard.commands.check import check

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

NET = """\
from tensorflow import keras


def build():
    layers = [keras.layers.Input((8,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    model.compile("adam", "mse")
    return model
"""
MODELS = {
    "net": 'builder = "net:build"\nrestores = ["tf-checkpoint", "keras-weights", "h5"]',
}


@pytest.mark.parametrize("keras", ["keras3", "keras2"])
def test_optimizer_state_that_a_path_never_holds(keras, request, tmp_path):
    python = request.getfixturevalue(keras)
    project = Project(tmp_path / "project", tmp_path / "home")
    project.write({"net.py": NET, "pyproject.toml": settings(python, MODELS, timeout=120)})
    with warm_python(python):
        with Repository(project.root) as repository:
            (done,) = updating.update(Run(repository, project.environ), names=[], reason=None)
        assert done.findings == (), "neither a slot nor the learning rate is a warning of its own"
        project.commit(message="first")
        project.edit("net.py", "relu", "tanh")
        with Repository(project.root) as repository:
            sides = Sides(repository.head(), repository.worktree())
            (model,) = check(Run(repository, project.environ), sides).models
    told = {path: (one.outcome, one.restored, one.variables, one.outputs) for path, one in model.restores.items()}
    assert told["h5"] == ("restores", 4, 4, "differ")
    assert {one[0] for one in told.values()} == {"restores"} and {one[3] for one in told.values()} == {"differ"}
    assert [finding.rule for finding in model.findings] == ["behaviour-changed"]
