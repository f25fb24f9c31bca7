"""`init` finds and guards the models of repositories as strangers write them, without a line by hand in most."""

import playing
import pytest
import repositories
import setting_up
from conftest import Project, warm_python

from restore_guard.building import probing
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import init
from restore_guard.commands.check import check
from restore_guard.discovery.models import candidates
from restore_guard.discovery.modules import project

FEW = ["config_json", "gan_class", "tf1_mnist", "two_generations"]
"""Those that are always built: a configuration file, parts of a class, a graph, folders and flags."""


def _found(repository):
    files = repository.files
    return {each.target for each in candidates(project(lambda path: files[path].encode(), files))}


def test_marked_models_are_found():
    marked, found, false, proposed = 0, 0, [], 0
    for name in repositories.NAMES:
        repository = repositories.load(name)
        targets, marks = _found(repository), {mark.target for mark in repository.marks}
        marked, found, proposed = marked + len(marks), found + len(marks & targets), proposed + len(targets)
        false += sorted(targets - marks - {*repository.optional})
    assert len(repositories.NAMES) >= 25
    assert found >= 0.9 * marked
    assert len(false) <= 0.1 * proposed, false


@pytest.fixture(scope="module")
def python(request):
    """A warm Python of the repositories' usual environment."""
    with probing.Probe(request.getfixturevalue("keras3")) as probe:
        yield probe


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", FEW)
def test_few_are_guarded(python, tmp_path, name):
    repository = repositories.load(name)
    setting_up.write(repository, tmp_path)
    outcome = setting_up.set_up(repository, tmp_path, python)
    assert outcome.guarded == [mark.target for mark in repository.marks], outcome.left
    assert list(outcome.carry) == repository.carry


@pytest.mark.tensorflow
def test_a_break_is_refused_in_what_was_set_up(keras3, tmp_path):
    """From a repository without any configuration to a refused change of a file that only the builder reads."""
    stranger = repositories.load("config_json")
    with warm_python(keras3) as probe:
        setting_up.write(stranger, tmp_path / "stranger")
        project = Project(tmp_path / "stranger", tmp_path / "home")
        outcome = setting_up.set_up(stranger, project.root, probe)
        with setting_up.python(keras3), Repository(project.root) as opened:
            assert [done.state for done in init.write(Run(opened, project.environ), outcome.plan)[0]] == ["written"]
        project.commit(message="Guard checkpoints")
        with setting_up.python(keras3):
            assert _exit_code(project) == 0
            project.edit("configs/conv_mnist.json", '"filters": 20', '"filters": 24')
            assert _exit_code(project) == 1


def _exit_code(project):
    with Repository(project.root) as opened:
        return check(Run(opened, project.environ), Sides(opened.head(), opened.worktree()), witness="never").exit_code


@pytest.mark.tensorflow
@pytest.mark.long
def test_most_are_guarded(request, tmp_path):
    seen = playing.play({name: request.getfixturevalue(name) for name in ("keras3", "keras2")}, tmp_path)
    assert sum(one.is_guarded for one in seen) >= 0.7 * len(seen)
    for one in seen:
        assert one.is_guarded or one.lines <= 10, one
        assert one.is_guarded or one.is_mended or one.repository.package, one
        assert list(one.outcome.carry) == one.repository.carry
