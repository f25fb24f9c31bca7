"""Environments made from lock files by uv, kept in the user's cache: one for each content."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from restore_guard.environments.lockfiles import Lock
from restore_guard.errors import UncheckedError
from restore_guard.folders import cache_folder

# uv tells these from one lock file to the next; they are not the user's to decide here.
_WITHHELD = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_PROJECT", "UV_SYSTEM_PYTHON", "CONDA_PREFIX")


def python(lock: Lock, environ: Mapping[str, str]) -> Path:
    """Returns the Python of a lock's environment, made on first use.

    Raises:
        UncheckedError: uv is missing, or cannot make it; quotes what it says.
    """
    kept = cache_folder(environ)
    if kept is None:
        raise UncheckedError('environment = "per-commit" needs a place to keep environments: set RESTORE_GUARD_CACHE.')
    kept /= "environments"
    folder = kept / _digest(lock)
    found = _python_of(folder)
    if found is not None:
        return found
    uv = _uv(environ)
    kept.mkdir(parents=True, exist_ok=True)
    # Made aside and renamed when complete: two runs at once, or one that is stopped, leave nothing half done.
    with tempfile.TemporaryDirectory(dir=kept, prefix=".") as aside:
        sources, made = Path(aside, "sources"), Path(aside, "environment")
        for name, content in lock.contents.items():
            target = sources / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        for command in _commands(uv, lock, made):
            _run(command, sources, made, environ)
        with contextlib.suppress(OSError):  # another run was first
            os.rename(made, folder)
    return _python_of(folder)


def _commands(uv: str, lock: Lock, made: Path) -> list[list[str]]:
    version = ["--python", lock.python] if lock.python else []
    if lock.file == "uv.lock":
        return [[uv, "sync", "--frozen", "--no-install-project", "--no-install-workspace", *version]]
    return [
        [uv, "venv", *version, str(made)],
        [uv, "pip", "install", "--python", str(made), "--requirement", lock.file],
    ]


def _run(command: list[str], folder: Path, made: Path, environ: Mapping[str, str]) -> None:
    kept = {
        name: value
        for name, value in environ.items()
        # What is installed may run code of its own; uv needs the logins of indexes, and nobody GitHub's tokens.
        if name not in _WITHHELD and not name.startswith(("GITHUB_", "ACTIONS_", "GIT_"))
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=kept | {"UV_PROJECT_ENVIRONMENT": str(made), "UV_NO_PROGRESS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise UncheckedError(f"The environment of {command[-1]} could not be made: {' '.join(command[:3])}\n{said}")


def _uv(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", os.path.expanduser("~"))
    folders = [environ.get("PATH", os.defpath), f"{home}/.local/bin", f"{home}/.cargo/bin"]
    found = shutil.which("uv", path=os.pathsep.join(folders))
    if found is None:
        with contextlib.suppress(ImportError, FileNotFoundError):
            from uv import find_uv_bin

            found = find_uv_bin()
    if found is None:
        raise UncheckedError(
            'environment = "per-commit" needs uv, which was not found. Install it (pip install uv), or give it to the '
            "hook: additional_dependencies: [uv] in .pre-commit-config.yaml."
        )
    return found


def _digest(lock: Lock) -> str:
    parts = [lock.file, lock.python, platform.machine(), platform.system(), platform.python_version_tuple()[:2]]
    contents = {name: hashlib.sha256(content).hexdigest() for name, content in lock.contents.items()}
    return hashlib.sha256(json.dumps([parts, contents], sort_keys=True).encode()).hexdigest()[:32]


def _python_of(folder: Path) -> Path | None:
    for name in ("bin/python", "Scripts/python.exe"):
        if (folder / name).exists():
            return folder / name
    return None
