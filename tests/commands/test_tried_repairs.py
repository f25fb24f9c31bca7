"""A repair is suggested only where it was tried and helps; `check --fix` writes it, after showing it."""

import pytest
from conftest import Project, settings, warm_python

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import fixing
from restore_guard.commands import update as updating
from restore_guard.commands.check import check
from restore_guard.reports import load

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

NET = """\
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def __init__(self, units=8):
        super().__init__()
        self.first = keras.layers.Dense(units)
        self.last = keras.layers.Dense(2)

    def call(self, x):
        return self.last(self.first(x))


def build():
    model = Net()
    model(tf.zeros((1, 4)))
    return model
"""


@pytest.fixture(scope="module")
def base(keras3, tmp_path_factory):
    folder = tmp_path_factory.mktemp("repairs")
    project = Project(folder / "project", folder / "home")
    with warm_python(keras3):
        promised = 'builder = "net:build"\nrestores = ["tf-checkpoint", "keras-weights"]'
        # In a folder of the repository: lines and files are told from its root.
        project.write({"sub/net.py": NET, "sub/pyproject.toml": settings(keras3, {"net": promised}, timeout=120)})
        with Repository(project.root / "sub") as repository:
            updating.update(Run(repository, project.environ), names=[], reason=None)
        project.commit(message="first")
        yield project.root


@pytest.fixture
def project(base, make_repository):
    return make_repository(copy_of=base)


def checked(project, *, staged=False, fix=False, witness="never"):
    with Repository(project.root / "sub") as repository:
        run = Run(repository, project.environ)
        sides = Sides(repository.head(), repository.index() if staged else repository.worktree())
        result = check(run, sides, witness=witness)
        done = fixing.apply(run, sides, result) if fix else []
    return result, done


def rename(project, old="last", new="ende"):
    text = (project.root / "sub/net.py").read_text()
    project.write({"sub/net.py": text.replace(f"self.{old}", f"self.{new}")})


def test_a_repair_that_helps_is_suggested_in_every_report(project):
    rename(project)
    result, _ = checked(project)
    (finding,) = [item for item in result.models[0].findings if item.rule == "variable-renamed"]
    suggestion = finding.suggestion
    line = project.line("sub/net.py", "self.ende = ")
    assert (suggestion.file, suggestion.first, suggestion.last) == ("sub/net.py", line, line)
    assert suggestion.outcome == "restores on tf-checkpoint and keras-weights, tried"
    assert suggestion.replacement == "        self.last = self.ende = keras.layers.Dense(2)"
    text = load("text").render(result, color=False, width=120)
    assert "-        self.ende = keras.layers.Dense(2)" in text and f"+{suggestion.replacement}" in text
    assert "tried:  restores on tf-checkpoint and keras-weights, tried" in text
    assert f"```suggestion\n{suggestion.replacement}\n```" in load("markdown").render(result)
    assert '"suggestion": {' in load("json").render(result)
    assert f'"deletedRegion": {{"startLine": {line}, "startColumn": 1' in load("sarif").render(result)


def test_what_does_not_help_is_not_offered(project):
    # Another size besides: whatever its name, nothing of it restores.
    rename(project)
    project.edit("sub/net.py", "Dense(2)", "Dense(3)")
    result, _ = checked(project)
    assert all(item.suggestion is None for item in result.models[0].findings)


def test_an_old_default_at_the_call(project):
    project.edit("sub/net.py", "units=8", "units=16")
    result, _ = checked(project)
    (finding,) = [item for item in result.models[0].findings if item.suggestion]
    assert finding.suggestion.replacement == "    model = Net(units=8)"


def test_fix_writes_what_was_shown_and_only_what_is_staged(project):
    rename(project)
    unstaged = (project.root / "sub/net.py").read_text()
    _, done = checked(project, fix=True)
    assert done == ["sub/net.py has changes that are not staged: it was left as it is."]
    assert (project.root / "sub/net.py").read_text() == unstaged
    project.git("add", "--all")
    project.write({"sub/net.py": unstaged + "# more\n"})
    _, done = checked(project, staged=True, fix=True)
    assert "left as it is" in done[0] and (project.root / "sub/net.py").read_text() == unstaged + "# more\n"
    project.write({"sub/net.py": unstaged})
    _, done = checked(project, staged=True, fix=True)
    assert done == ["sub/net.py was repaired as shown: look at it, git add it, and commit again."]
    text = (project.root / "sub/net.py").read_text()
    assert text == unstaged.replace("self.ende = keras", "self.last = self.ende = keras")
    assert project.git("status", "--porcelain").split() == ["MM", "sub/net.py"]
    # It was simulated; now it is really saved and restored.
    project.git("add", "--all")
    result, done = checked(project, staged=True, fix=True, witness="always")
    (model,) = result.models
    assert {path.outcome for path in model.restores.values()} == {"restores"}
    assert {path.evidence for path in model.restores.values()} == {"witnessed"}
    assert (model.word, done) == ("restores, manifest stale", [])
