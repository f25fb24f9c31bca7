"""Where uv, poetry, pdm, pipenv and conda keep the environment of a project.

Read from the files that they leave, so that it works without them on PATH, as in a hook that a graphical git client
starts; no command is run that could create or synchronise anything. Only poetry must be asked: it names its
environments by a hash of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from restore_guard.environments import variables

# Where installers put commands, for a PATH that lacks them.
COMMANDS = ("~/.local/bin", "~/.local/share/pypoetry/venv/bin", "~/Library/Application Support/pypoetry/venv/bin")


class Managed(msgspec.Struct, frozen=True):
    """The environment that a file of the project asks for.

    Attributes:
        python: None where the environment has not been made yet.
        make: the command that makes it.
        add: the command that adds TensorFlow to it.
    """

    manager: str
    file: str
    python: Path | None
    make: str
    add: str

    @property
    def reason(self) -> str:
        return f"{self.manager}'s environment, for there is {self.file}"


def asked_for(project: Path, environ: Mapping[str, str]) -> Iterator[Managed]:
    """The environments that the files of a project, or of the repository around it, ask for; best first.

    Args:
        environ: without what a hook's own environment puts into it.
    """
    for manager in (_uv, _poetry, _pdm, _pipenv, _conda):
        managed = manager(project, environ)
        if managed is not None:
            yield managed


def environment_named(python: str) -> str | None:
    """The folder of the virtual environment whose Python a path names, in the way of whichever system.

    A configuration is shared: `.venv/bin/python` is `.venv\\Scripts\\python.exe` for a colleague with Windows.
    """
    named = re.fullmatch(r"(.+)/(?:bin/python3?|scripts/python(?:\.exe)?)", python.replace("\\", "/"), re.IGNORECASE)
    return named[1] if named else None


def python_of(folder: Path) -> Path | None:
    """The interpreter of a virtual or conda environment."""
    for name in ("bin/python", "Scripts/python.exe", "python.exe"):
        if (folder / name).is_file():
            return folder / name
    return None


def _uv(project: Path, environ: Mapping[str, str]) -> Managed | None:
    lock = _nearest(project, "uv.lock")  # a workspace has one, at its root
    if lock is None:
        return None
    folder = lock.parent / (environ.get("UV_PROJECT_ENVIRONMENT") or ".venv")
    return Managed("uv", lock.name, python_of(folder), "uv sync", "uv add tensorflow")


def _poetry(project: Path, environ: Mapping[str, str]) -> Managed | None:
    file = _nearest(project, "poetry.lock") or _nearest(project, "pyproject.toml", _is_poetrys)
    if file is None:
        return None
    python = _ask(["poetry", "--no-interaction", "--no-ansi", "env", "info", "--executable"], file.parent, environ)
    # Without the command, an environment in the project is still found.
    python = python or python_of(file.parent / ".venv")
    return Managed("poetry", file.name, python, "poetry install", "poetry add tensorflow")


def _is_poetrys(file: Path) -> bool:
    return re.search(rb"^\s*\[tool\.poetry[\].]", file.read_bytes(), re.MULTILINE) is not None


def _pdm(project: Path, environ: Mapping[str, str]) -> Managed | None:
    file = _nearest(project, "pdm.lock") or _nearest(project, ".pdm-python")
    if file is None:
        return None
    saved = file.with_name(".pdm-python")
    named = environ.get("PDM_PYTHON") or (
        saved.read_text(encoding="utf-8", errors="replace").strip() if saved.is_file() else ""
    )
    python = Path(named) if named and Path(named).is_file() else None
    return Managed("pdm", file.name, python, "pdm install", "pdm add tensorflow")


def _pipenv(project: Path, environ: Mapping[str, str]) -> Managed | None:
    file = _nearest(project, "Pipfile")
    if file is None:
        return None
    return Managed(
        "pipenv", file.name, _python_of_pipenv(file.parent, environ), "pipenv install", "pipenv install tensorflow"
    )


def _python_of_pipenv(project: Path, environ: Mapping[str, str]) -> Path | None:
    """Each environment that pipenv makes says in its file `.project` whose it is."""
    inside = python_of(project / ".venv")
    if inside is not None:
        return inside
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    home = Path(environ.get("WORKON_HOME") or os.path.join(data, "virtualenvs")).expanduser()
    for mark in sorted(home.glob("*/.project")):
        if Path(mark.read_text(encoding="utf-8", errors="replace").strip()) == project:
            return python_of(mark.parent)
    return None


def _conda(project: Path, environ: Mapping[str, str]) -> Managed | None:
    file = _nearest(project, "environment.yml") or _nearest(project, "environment.yaml")
    if file is None:
        return None
    content = file.read_text(encoding="utf-8", errors="replace")
    named = re.search(r"^name:\s*['\"]?([^'\"#\s]+)", content, re.MULTILINE)
    if not named:
        return None
    make = f"conda env create --file {file.name}"
    add = f"conda env update --file {file.name}, with tensorflow in it"
    return Managed("conda", file.name, _python_of_conda(named[1], environ), make, add)


def _python_of_conda(name: str, environ: Mapping[str, str]) -> Path | None:
    """conda lists the folders of all environments that it made in one file."""
    known = Path("~/.conda/environments.txt").expanduser()
    listed = known.read_text(encoding="utf-8", errors="replace").splitlines() if known.is_file() else []
    folders = (Path(line) for line in [environ.get("CONDA_PREFIX", ""), *listed] if line)
    return next((python for folder in folders if folder.name == name and (python := python_of(folder))), None)


def _nearest(project: Path, name: str, accept: Callable[[Path], bool] = lambda _: True) -> Path | None:
    """The file of the project, or of the nearest folder around it up to the root of the repository."""
    for folder in (project, *project.parents):
        if (folder / name).is_file() and accept(folder / name):
            return folder / name
        if (folder / ".git").exists():
            break
    return None


def _ask(command: list[str], folder: Path, environ: Mapping[str, str]) -> Path | None:
    path = os.pathsep.join([environ.get("PATH", os.defpath), *map(os.path.expanduser, COMMANDS)])
    program = shutil.which(command[0], path=path)
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *command[1:]],
            cwd=folder,
            env=variables.for_poetry(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    python = Path(done.stdout.strip())
    return python if done.returncode == 0 and python.is_file() else None
