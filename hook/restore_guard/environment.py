"""Whose Python builds: the one that has the user's TensorFlow, never the hook's own unless it has TensorFlow too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from restore_guard.errors import UncheckedError, UsageError


@dataclass(frozen=True)
class Interpreter:
    """A Python and the reason for which it was taken."""

    path: Path
    reason: str


def find(configured: str | None, project: Path, environ: Mapping[str, str]) -> Interpreter:
    """Returns the Python that builds.

    Args:
        configured: `python` of the configuration: a path, from the project's folder, or a command. The
            variable RESTORE_GUARD_PYTHON, which action.yml sets, wins over it.
        project: the folder of the configuration in the user's work tree.

    Raises:
        UsageError: the configured Python does not exist.
        UncheckedError: no Python with TensorFlow was found; names what was looked at and the line to add.
    """
    given = environ.get("RESTORE_GUARD_PYTHON")
    if named := given or configured:
        path = _resolve(named, project, environ)
        if path is None:
            said = f"RESTORE_GUARD_PYTHON={given}" if given else f'python = "{configured}"'
            raise UsageError(f"{said}: there is no such Python, seen from {project}.")
        return Interpreter(path, "RESTORE_GUARD_PYTHON names it" if given else "the configuration names it")
    looked_at = []
    for interpreter in _candidates(project, environ):
        if _has_tensorflow(interpreter.path):
            return interpreter
        looked_at.append(f"{interpreter.path} ({interpreter.reason}) has no TensorFlow")
    raise UncheckedError(
        "No Python with TensorFlow was found to build the models. "
        + "; ".join(looked_at)
        + '. Name it in the configuration, for example python = ".venv/bin/python".'
    )


def _candidates(project: Path, environ: Mapping[str, str]) -> Iterator[Interpreter]:
    # A hook's own environment comes first on PATH and as VIRTUAL_ENV, and is not the user's.
    own, seen = Path(sys.prefix).resolve() if environ.get("PRE_COMMIT") else None, set()
    active = environ.get("VIRTUAL_ENV") or environ.get("CONDA_PREFIX")
    places = [(Path(active), "the active environment")] if active else []
    places += [(project / name, f"{name} in the project") for name in (".venv", "venv")]
    for folder, reason in places:
        python = _python_of(folder)
        if python is not None and folder.resolve() != own and python not in seen:
            seen.add(python)
            yield Interpreter(python, reason)
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which("python3", path=folder) or shutil.which("python", path=folder)
        if found and Path(folder).resolve().parent != own and Path(found) not in seen:
            seen.add(Path(found))
            yield Interpreter(Path(found), "found on PATH")
    yield Interpreter(Path(sys.executable), "restore-guard's own")


def _python_of(folder: Path) -> Path | None:
    for name in ("bin/python", "Scripts/python.exe"):
        if (folder / name).is_file():
            return folder / name
    return None


def _resolve(configured: str, project: Path, environ: Mapping[str, str]) -> Path | None:
    # Not resolved: a virtual environment's python is a link, and what it links to has no packages.
    path = project / configured
    if path.is_file():
        return path
    if os.sep in configured or "/" in configured:
        return None
    found = shutil.which(configured, path=environ.get("PATH"))
    return Path(found) if found else None


def _has_tensorflow(python: Path) -> bool:
    question = "import importlib.util, sys; sys.exit(importlib.util.find_spec('tensorflow') is None)"
    try:
        return subprocess.run([python, "-c", question], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
