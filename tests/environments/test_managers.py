"""The environments that the real uv, poetry, pdm and pipenv make are found, and nothing is made by looking."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from restore_guard.environments import interpreters
from restore_guard.environments import managers as managing
from restore_guard.errors import UncheckedError

PROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.9"\n'

# Files of a project; the command that makes its environment, without a network; the file that says whose it is.
TOOLS = {
    "uv": ({"pyproject.toml": PROJECT}, ["uv", "sync", "--offline", "--python", sys.executable], "uv.lock"),
    "poetry": (
        {"pyproject.toml": PROJECT + "[tool.poetry]\npackage-mode = false\n"},
        ["poetry", "env", "use", sys.executable],
        "pyproject.toml",
    ),
    "pdm": (
        {"pyproject.toml": PROJECT + "[tool.pdm]\ndistribution = false\n"},
        ["pdm", "install", "--no-self"],
        "pdm.lock",
    ),
    "pipenv": ({"Pipfile": "[packages]\n"}, ["pipenv", "--python", sys.executable, "run", "true"], "Pipfile"),
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project" / ".git").mkdir(parents=True)
    return tmp_path / "project"


def _write(project, files):
    for name, content in files.items():
        (project / name).write_text(content)


def _contents(folder):
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("tool", TOOLS)
def test_environment_of_a_manager(managers, home, project, tool):
    files, make, file = TOOLS[tool]
    _write(project, files)
    environ = {"PATH": f"{managers}:/usr/bin:/bin", "HOME": str(home)}
    # A hook's own environment is active, and the tools would take it for the project's.
    hooks = environ | {"PRE_COMMIT": "1", "VIRTUAL_ENV": sys.prefix, "PATH": f"{sys.prefix}/bin:{environ['PATH']}"}
    before = _contents(project)
    with pytest.raises(UncheckedError, match="No Python with TensorFlow was found"):
        interpreters.choose(None, project, hooks)
    assert _contents(project) == before, "looking for an environment made something"
    # Some look for updates of themselves, or ask for the index, where they can.
    # pipenv's virtualenv looks for newer wheels in a process of its own, which would write while we look.
    quiet = environ | {"VIRTUALENV_NO_PERIODIC_UPDATE": "1"}
    subprocess.run(make, cwd=project, env=quiet, check=True, capture_output=True)
    (project / "models").mkdir()
    before = _contents(project), _contents(home)
    for folder in (project, project / "models"):
        with pytest.raises(UncheckedError) as caught:
            interpreters.choose(None, folder, hooks)
        assert f"({tool}'s environment, for there is {file}) has no TensorFlow" in str(caught.value)
        assert f"{tool} " in str(caught.value) and 'python = ".venv/bin/python"' in str(caught.value)

    (managed,) = managing.asked_for(project, environ)
    asked = [managed.python, "-B", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    library = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    assert not library.is_relative_to(sys.prefix)
    assert (_contents(project), _contents(home)) == before, "looking for an environment made something"
    (library / "tensorflow").mkdir()
    with pytest.raises(UncheckedError, match="has no TensorFlow"):  # what an uninstalled package leaves behind
        interpreters.choose(None, project, hooks)
    (library / "tensorflow/__init__.py").touch()
    for folder in (project, project / "models"):
        found = interpreters.choose(None, folder, hooks)
        assert (found.path, found.reason) == (managed.python, f"{tool}'s environment, for there is {file}")


def test_environment_of_uv_elsewhere(project, home):
    _write(project, {"uv.lock": ""})
    python = _python(project / "env")
    (managed,) = managing.asked_for(project, {"UV_PROJECT_ENVIRONMENT": "env"})
    assert managed.python == python
    (managed,) = managing.asked_for(project, {})
    assert (managed.python, managed.make) == (None, "uv sync")


@pytest.mark.parametrize("line", ["name: ranker", 'name: "ranker"  # of the team'])
def test_environment_of_conda(project, home, line):
    """conda is in no index that the tests install from: its files, as conda documents and writes them."""
    python = _python(home / "miniconda3/envs/ranker")
    other = _python(home / "elsewhere/ranker")
    _write(project, {"environment.yml": f"channels: [conda-forge]\n{line}\n"})
    (managed,) = managing.asked_for(project, {})
    assert (managed.python, managed.make) == (None, "conda env create --file environment.yml")
    (home / ".conda").mkdir()
    (home / ".conda/environments.txt").write_text(f"{home}/miniconda3\n{python.parents[1]}\n")
    (managed,) = managing.asked_for(project, {})
    assert (managed.python, managed.reason) == (python, "conda's environment, for there is environment.yml")
    (managed,) = managing.asked_for(project, {"CONDA_PREFIX": str(other.parents[1])})  # the active one
    assert managed.python == other
    (managed,) = managing.asked_for(project, {"CONDA_PREFIX": str(home / "miniconda3")})  # base is always active
    assert managed.python == python


def test_files_beyond_the_repository_do_not_count(project, home):
    _write(project.parent, {"uv.lock": ""})
    assert list(managing.asked_for(project, {})) == []


def _python(folder):
    (folder / "bin").mkdir(parents=True)
    os.symlink(sys.executable, folder / "bin/python")
    return folder / "bin/python"
