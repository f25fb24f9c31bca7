"""Other versions: what one saves is really restored by the other. The Pythons are warm; uv is asked for Keras alone."""

import contextlib
import dataclasses
import os
import subprocess

import msgspec
import pytest
from conftest import Project, settings

from restore_guard.building import probing, witnesses, workshop
from restore_guard.building.pythons import Pythons, Today
from restore_guard.building.witnesses import WitnessTrial
from restore_guard.building.workshop import Workshop
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import upgrading
from restore_guard.commands.cases import cases_by
from restore_guard.commands.suspects import Suspects
from restore_guard.environments.lockfiles import Lock
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.judging import judge
from restore_guard.promise.project import Projects, load

NETS = """\
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, activation=None):
        super().__init__()
        self.dense = tf.keras.layers.Dense(3, activation)

    def call(self, x):
        return self.dense(x)


def built(activation=None):
    model = Net(activation)
    model(tf.zeros([1, 4]))
    return model


def gate():
    return built("hard_sigmoid")


def phase():
    tf.keras.backend.set_learning_phase(0)
    return built()
"""
MODELS = {
    "ranker": 'builder = "nets:built"',
    "gate": 'builder = "nets:gate"\nrestores = ["keras-weights"]',
    "phase": 'builder = "nets:phase"\nrestores = ["keras-weights"]',
}
VERSIONS = {
    "keras2": {"tensorflow": "2.15.1", "keras": "2.15.0"},
    "keras3": {"tensorflow": "2.21.0", "keras": "3.15.1", "optree": "0.18"},
}


@pytest.fixture(scope="module")
def warm():
    """Probes of all Pythons, each started when it is first needed."""
    probes = {}
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:

        def probe(python, *_):
            if python not in probes:
                probes[python] = stack.enter_context(probing.Probe(python))
            return contextlib.nullcontext(probes[python])

        patch.setattr(workshop, "Probe", probe)
        yield patch


@pytest.fixture(scope="module")
def project(keras2, tmp_path_factory):
    folder = tmp_path_factory.mktemp("moves")
    made = Project(folder / "project", folder / "home")
    made.commit({"nets.py": NETS, "pyproject.toml": settings(keras2, MODELS, timeout=120)})
    return made


@pytest.fixture(scope="module")
def rehearsed(project, keras2, keras3, warm):
    """What `upgrade` says of three moves: to Keras 3, to what is there already, and to what cannot be had."""
    pythons = {"2.21.0": (keras3, VERSIONS["keras3"]), "2.15.1": (keras2, VERSIONS["keras2"])}

    def moved(run, start, wanted):
        found = pythons.get(str(wanted[0].specifier).removeprefix("=="))
        if found is None:
            raise UncheckedError("uv finds no such version")
        return found

    start = Today(keras2, Lock("requirements.txt", {}, None), VERSIONS["keras2"])
    warm.setattr(upgrading.pythons, "today", lambda *_: start)
    warm.setattr(upgrading.pythons, "moved", moved)
    before = project.snapshot()
    with Repository(project.root) as repository:
        moves = [["tensorflow==2.21.0"], ["tensorflow==2.15.1"], ["tensorflow==2.99.0"]]
        found = upgrading.upgrade(Run(repository, project.environ), moves)
    assert project.snapshot() == before
    return found


@pytest.mark.tensorflow
def test_each_model_is_told_what_its_checkpoints_would_do(rehearsed):
    newest, same, never = rehearsed.moves
    ranker, gate, phase = newest.models
    silent = ranker.restores["tf-checkpoint"]
    assert (silent.outcome, silent.evidence, silent.initial) == ("partial", "witnessed", ("dense/kernel",))
    assert (silent.migration.outcome, silent.migration.evidence) == ("restores", "witnessed")
    assert ranker.restores["keras-weights"].outcome == "restores" and ranker.verdict == "breaks"
    (lost,) = ranker.findings
    assert lost.fix == (
        "Before the move, save by keras-weights, which restores; or after it, `restore-guard update --migrate REASON` "
        "and `restore-guard migrate` carry them across."
    )
    assert (lost.accept, lost.file) == ("", "")

    assert [finding.rule for finding in gate.findings] == ["behaviour-changed"], "hard_sigmoid is another function"
    assert gate.restores["keras-weights"].outputs == "differ"
    (failed,) = phase.findings
    assert (failed.rule, failed.file, failed.line) == ("build-failed", "nets.py", 24)

    assert [model.verdict for model in same.models] == ["restores"] * 3
    assert (never.verdict, never.failure) == ("unchecked", "uv finds no such version")


@pytest.mark.tensorflow
def test_the_furthest_move_that_loses_nothing_is_named(rehearsed):
    assert rehearsed.furthest == ("tensorflow==2.15.1",)
    assert (rehearsed.today, rehearsed.exit_code) == (VERSIONS["keras2"], 1)
    told = [(moved.package, moved.old, moved.new) for moved in rehearsed.moves[0].moved]
    assert told == [("keras", "2.15.0", "3.15.1"), ("optree", None, "0.18"), ("tensorflow", "2.15.1", "2.21.0")]


@pytest.mark.parametrize("moves", [[], [[]], [["tensorflow=2"]]])
def test_wrong_usage(project, moves):
    with Repository(project.root) as repository, pytest.raises(UsageError):
        upgrading.upgrade(Run(repository, project.environ), moves)


def test_the_command_without_a_move_or_with_another_model(project):
    assert (project.run("upgrade").code, project.run("upgrade", "--candidate", " ").code) == (2, 2)
    other = project.run("upgrade", "tensorflow==2.21.0", "--model", "nobody")
    assert other.code == 2 and "nobody is not a configured model" in other.stderr
    nothing = project.run("upgrade", "tensorflow==2.21.0")
    assert nothing.code == 3 and "that asks for it, and there is none" in nothing.stderr


NESTED = """\
import keras
import numpy as np


class Nested(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [[keras.layers.Dense(3)], keras.layers.Dense(2)]

    def call(self, x):
        return self.blocks[1](self.blocks[0][0](x))


def build():
    model = Nested()
    model(np.zeros([1, 4], "float32"))
    return model
"""


@pytest.fixture(scope="module")
def keras314(keras3, managers, index_settings, tmp_path_factory):
    """A Python with Keras 3.14.1, and for the rest what `keras3` has."""
    folder = tmp_path_factory.mktemp("keras314") / "venv"
    environ = {**os.environ, **index_settings, "UV_PYTHON_DOWNLOADS": "never"}
    python = folder / "bin/python"
    for command in (
        ["venv", "--quiet", "--python", keras3, folder],
        ["pip", "install", "--quiet", "--no-deps", "--python", python, "keras==3.14.1"],
    ):
        subprocess.run([managers / "uv", *command], env=environ, check=True)
    (own,) = folder.glob("lib/*/site-packages")
    (others,) = keras3.parents[1].glob("lib/*/site-packages")
    (own / "others.pth").write_text(f"{others}\n")
    return python


@pytest.mark.tensorflow
def test_a_file_of_keras_3_15_that_3_14_cannot_read(make_repository, keras3, keras314, warm):
    """3.15 saves what is in a list in a list where 3.14 never looks: said of the builds, and what 3.14 really does."""
    promised = 'builder = "nested:build"\nrestores = ["keras-weights"]'
    configured = settings(keras3, {"nested": promised}, timeout=120, rollback="error")
    project = make_repository(files={"nested.py": NESTED, "pyproject.toml": configured})
    with Repository(project.root) as repository, Workshop(run := Run(repository, project.environ)) as shop:
        head = load(repository, repository.worktree())
        base = dataclasses.replace(head, side=msgspec.structs.replace(head.side, label="before"))
        builders = Pythons({head.side: keras3, base.side: keras314}, apart=True)
        suspects = Suspects(Projects(base, head), (), ["nested"])
        cases, orders = cases_by(run, suspects, builders, "never", shop)
        judged = judge.judge(cases["nested"])
        back = WitnessTrial("nested", orders["head:nested"], orders["base:nested"], ["keras-weights"])
        seen = witnesses.run(shop, [back])["nested"].observations["keras-weights"]
    assert cases["nested"].base.framework["keras"] == "3.14.1" and cases["nested"].head.framework["keras"] == "3.15.1"
    (told,) = [finding for finding in judged.findings if finding.rule == "rollback-broken"]
    assert told.fails and "the code before this change cannot load its checkpoints, by keras-weights" in told.message
    said = "Layer 'dense' expected 2 variables, but received 0 variables during loading. Expected: ['kernel', 'bias']"
    assert told.effects == (f"keras-weights raises: {said}",)
    assert seen.outcome == "raises" and said in seen.error
