"""Whose Python builds: found without starting a TensorFlow."""

import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

from restore_guard.environments import interpreters, managers
from restore_guard.errors import UncheckedError, UsageError


def _python(folder, tensorflow):
    """A virtual environment, as far as the search looks: whether TensorFlow is installed is its answer."""
    python = folder / "bin/python"
    python.parent.mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    python.write_text(f"#!/bin/sh\nexit {0 if tensorflow else 1}\n")
    python.chmod(0o755)
    (python.parent / "python3").symlink_to("python")
    return python


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def _find(project, environ, configured=None):
    return interpreters.choose(configured, project, {"PATH": "/nowhere"} | environ)


def test_configuration_wins_and_is_seen_from_the_project(project):
    python = _python(project / "env", tensorflow=False)
    found = _find(project, {"VIRTUAL_ENV": str(_python(project / "other", True).parents[1])}, "env/bin/python")
    assert (found.path, found.reason) == (python, "the configuration names it")


def test_configured_link_is_not_resolved(project):
    """A virtual environment's python is a link; what it links to has no packages."""
    (project / "env").symlink_to(_python(project / "real", True).parents[1])
    assert _find(project, {}, "env/bin/python").path == project / "env/bin/python"


@pytest.mark.parametrize(
    ("named", "folder"),
    [
        (".venv/bin/python", ".venv"),
        (".venv/bin/python3", ".venv"),
        (r".venv\Scripts\python.exe", ".venv"),
        ("../envs/tf/Scripts/python", "../envs/tf"),
        (r"C:\envs\tf\scripts\Python.exe", "C:/envs/tf"),
        (str(PureWindowsPath("D:/work", ".venv/bin/python")), "D:/work/.venv"),
        (".venv/bin/python3.12", None),  # a version is meant as it stands
        ("python", None),
        ("bin/python", None),
    ],
)
def test_environment_is_known_by_the_path_of_either_system(named, folder):
    assert managers.environment_named(named) == folder


@pytest.mark.parametrize("named", [r"env\Scripts\python.exe", "env/Scripts/python.exe", "env/bin/python3"])
def test_configuration_of_a_colleague_with_another_system(project, named):
    python = _python(project / "env", tensorflow=False)
    (python.parent / "python3").unlink()
    assert _find(project, {}, named).path == python


def test_configuration_of_a_colleague_without_windows(project):
    python = project / "env/Scripts/python.exe"
    python.parent.mkdir(parents=True)
    python.touch()
    assert _find(project, {}, "env/bin/python").path == python


def test_configured_command_is_looked_up(project, tmp_path):
    python = _python(tmp_path / "bin-of-user", True)
    assert _find(project, {"PATH": str(python.parent)}, "python3").path == python.parent / "python3"


@pytest.mark.parametrize("configured", ["env/bin/python", "no-such-python", "/no/such/python"])
def test_configured_python_that_does_not_exist(project, configured):
    with pytest.raises(UsageError, match=f'python = "{configured}": there is no such Python'):
        _find(project, {}, configured)


def test_variable_wins_over_the_configuration(project, tmp_path):
    """The configuration names a developer's environment; a runner has another."""
    python = _python(tmp_path / "runner", False)
    found = _find(project, {"RESTORE_GUARD_PYTHON": str(python)}, "env/bin/python")
    assert (found.path, found.reason) == (python, "RESTORE_GUARD_PYTHON names it")
    with pytest.raises(UsageError, match="RESTORE_GUARD_PYTHON=absent: there is no such Python"):
        _find(project, {"RESTORE_GUARD_PYTHON": "absent"}, None)
    assert _find(project, {"RESTORE_GUARD_PYTHON": "", "VIRTUAL_ENV": _env(tmp_path)}).reason.startswith("the active")


def _env(tmp_path):
    return str(_python(tmp_path / "active", True).parents[1])


@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_active_environment_before_the_projects_own(project, tmp_path, variable):
    _python(project / ".venv", True)
    found = _find(project, {variable: _env(tmp_path)})
    assert (found.path, found.reason) == (tmp_path / "active/bin/python", "the active environment")


@pytest.mark.parametrize("name", [".venv", "venv"])
def test_environment_in_the_project(project, name):
    python = _python(project / name, True)
    assert _find(project, {}) == interpreters.Interpreter(python, f"{name} in the project")


def test_environment_without_tensorflow_is_passed_over(project, tmp_path):
    _python(project / ".venv", False)
    python = _python(project / "venv", True)
    active = _python(tmp_path / "active", False).parents[1]
    assert _find(project, {"VIRTUAL_ENV": str(active)}).path == python


def _hooks(path, **environ):
    """What pre-commit makes of the user's environment: its hook's own first, as if that were active."""
    return {
        "PRE_COMMIT": "1",
        "VIRTUAL_ENV": sys.prefix,
        "PATH": f"{Path(sys.prefix) / 'bin'}:{path}",
    } | environ


def test_hooks_own_environment_is_not_the_users(project, tmp_path):
    """The active environment stays behind it on PATH, and comes before one that lies in the project."""
    users = _python(tmp_path / "users", True)
    _python(project / ".venv", True)
    found = _find(project, _hooks(users.parent))
    assert (found.path, found.reason) == (users, "the active environment")


def test_hooks_own_environment_does_not_hide_condas(project, tmp_path):
    found = _find(project, _hooks("/nowhere", CONDA_PREFIX=_env(tmp_path)))
    assert (found.path, found.reason) == (tmp_path / "active/bin/python", "the active environment")


def test_graphical_client_has_no_active_environment(project):
    """Nor a PATH with anything of the user's."""
    python = _python(project / ".venv", True)
    assert _find(project, _hooks("/usr/bin:/bin")) == interpreters.Interpreter(python, ".venv in the project")


def test_linked_worktree_uses_the_environment_of_the_main_one(project, tmp_path):
    python = _python(project / ".venv", True)
    for command in (
        ["init", "--quiet"],
        ["-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "first"],
        ["worktree", "add", "--quiet", str(tmp_path / "linked")],
    ):
        subprocess.run(["git", *command], cwd=project, check=True)
    assert _find(tmp_path / "linked", {}).path == python
    assert _find(tmp_path / "linked", {}, ".venv/bin/python").path == python
    own = _python(tmp_path / "linked/.venv", True)
    assert _find(tmp_path / "linked", {}).path == own


def test_hooks_own_environment_comes_last(project, tmp_path, monkeypatch):
    """As `additional_dependencies` of the hook can make it."""
    own = _python(tmp_path / "hook", True)
    monkeypatch.setattr(sys, "executable", str(own))
    assert _find(project, _hooks("/nowhere")) == interpreters.Interpreter(own, "restore-guard's own")
    python = _python(project / "venv", True)
    assert _find(project, _hooks("/nowhere")).path == python


def test_none_has_tensorflow(project, tmp_path):
    active = _python(tmp_path / "active", False)
    with pytest.raises(UncheckedError) as caught:
        _find(project, {"VIRTUAL_ENV": str(active.parents[1])})
    message = str(caught.value)
    assert f"{active} (the active environment) has no TensorFlow" in message
    assert f"{sys.executable} (restore-guard's own) has no TensorFlow" in message
    assert 'python = ".venv/bin/python"' in message


def test_python_that_does_not_start_is_passed_over(project):
    python = _python(project / ".venv", True)
    python.write_text("not a program")
    with pytest.raises(UncheckedError, match="has no TensorFlow"):
        _find(project, {})
