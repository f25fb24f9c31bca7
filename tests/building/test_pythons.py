"""Where a rehearsed move starts: the Python that is there, or one made of what the project's files ask for."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from restore_guard.building import pythons
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.config import Config
from restore_guard.environments.interpreters import Interpreter
from restore_guard.environments.overridden import KEPT, requirements
from restore_guard.errors import UncheckedError

HERE, MADE = Path("here"), Path("made")


@pytest.fixture
def start(make_repository, monkeypatch):
    """`start(asked, installed)`: what `today` gives, and the locks that were made."""

    def run(asked, installed, has_tensorflow=True):
        project = make_repository(files={"requirements.txt": asked})
        locks = []

        def choose(*_):
            if installed is None:
                raise UncheckedError("no Python with TensorFlow")
            return Interpreter(HERE, "it is here")

        def made(lock, environ, like):
            locks.append((lock, like))
            return MADE

        versions = {HERE: installed, MADE: {"tensorflow": "2.15.1"}}
        monkeypatch.setattr(pythons.interpreters, "choose", choose)
        monkeypatch.setattr(pythons.interpreters, "has_tensorflow", lambda *_: has_tensorflow)
        monkeypatch.setattr(pythons.installed, "ask", lambda python, _: SimpleNamespace(versions=versions[python]))
        monkeypatch.setattr(pythons.locked, "python", made)
        with Repository(project.root) as repository:
            run = Run(repository, project.environ)
            return run, pythons.today(run, Config(), repository.worktree()), locks

    return run


@pytest.mark.parametrize(
    ("asked", "installed", "python"),
    [
        ("tensorflow==2.15.1\n", {"tensorflow": "2.15.1", "keras": "2.15.0"}, HERE),
        ("tensorflow==2.15.1\nkeras==2.14.0\n", {"tensorflow": "2.15.1", "keras": "2.15.0"}, MADE),
        ("tensorflow==2.15.1\n", {"tensorflow": "2.14.0"}, MADE),
        ("tensorflow>=2.12\n", {"tensorflow": "2.14.0"}, HERE),
        ("tensorflow==2.15.1\n", None, MADE),
    ],
)
def test_what_is_installed_serves_where_it_is_what_is_asked_for(start, asked, installed, python):
    _, found, locks = start(asked, installed)
    assert found.python == python
    assert [like for _, like in locks] == ([] if python is HERE else [HERE if installed else None])


def test_a_move_prefers_what_is_there(start):
    run, found, locks = start("tensorflow>=2.12\nnumpy\n", {"tensorflow": "2.14.0", "numpy": "1.26.0"})
    assert pythons.moved(run, found, requirements(["tensorflow==2.21.0"])) == (MADE, {"tensorflow": "2.15.1"})
    ((lock, like),) = locks
    assert (lock.contents[KEPT], like) == (b"numpy==1.26.0\n", HERE)


def test_an_environment_without_tensorflow_is_told(start):
    with pytest.raises(UncheckedError, match="has no TensorFlow"):
        start("tensorflow==2.15.1\n", None, has_tensorflow=False)


def test_a_project_that_asks_for_no_tensorflow_is_told(start):
    with pytest.raises(UncheckedError, match="there is none"):
        start("numpy\n", {"tensorflow": "2.15.1"})
