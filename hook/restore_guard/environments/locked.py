"""Environments made from lock files by uv, kept in the user's cache: one for each content."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from restore_guard import folders
from restore_guard.environments import kept, variables
from restore_guard.environments.lockfiles import Lock
from restore_guard.errors import UncheckedError

# An environment with TensorFlow is half a gigabyte to download.
_SECONDS = 1800


def python(lock: Lock, environ: Mapping[str, str], like: Path | None = None) -> Path:
    """Returns the Python of a lock's environment, made on first use.

    Args:
        like: a Python of the version that is taken where the lock asks for none.

    Raises:
        UncheckedError: uv is missing, or cannot make it (quotes what it says), or there is no place to keep it.
    """
    cache = folders.cache_folder(environ)
    if cache is None:
        raise UncheckedError("There is no place to keep the environments of commits: set RESTORE_GUARD_CACHE.")
    home = cache / "environments"
    wanted = lock.python or (str(like) if like is not None else None)
    folder = home / _digest(lock, wanted)
    found = kept.reuse(folder)
    if found is None:
        uv = _uv(environ)
        try:
            found = _made(uv, lock, wanted, folder, environ)
        except OSError as error:
            raise UncheckedError(
                f"The environment of {lock.file} could not be kept in {home}: {error.strerror or error}. "
                "Make room there, or set RESTORE_GUARD_CACHE to another place."
            ) from error
    return found


def _made(uv: str, lock: Lock, wanted: str | None, folder: Path, environ: Mapping[str, str]) -> Path:
    """Raises OSError where it cannot be written or kept."""
    with kept.aside(folder.parent) as aside, folders.temporary() as own:
        made = aside / "environment"
        sources = _write(lock, own)
        for command in _commands(uv, lock, wanted, made):
            _run(command, lock.file, sources, made, environ)
        try:
            os.rename(made, folder)
        except OSError:
            found = kept.reuse(folder)  # another run was first
            if found is None:
                raise
            return found
    found = kept.reuse(folder)
    kept.make_room(folder.parent)
    if found is None:
        raise UncheckedError(f"uv made an environment of {lock.file} without a Python, in {folder}.")
    return found


def _write(lock: Lock, own: Path) -> Path:
    """Writes a lock's files into a folder of the run's own, and returns where the lock file is.

    Raises:
        UncheckedError: a path leads out of that folder.
    """
    # As deep as the files reach out of the project, which may be a folder of the repository.
    depth = max(name.split("/").count("..") for name in lock.contents)
    sources = own.joinpath(*["project"] * depth)
    for name, content in lock.contents.items():
        target = Path(os.path.normpath(sources / name))
        if not target.is_relative_to(own):
            raise UncheckedError(f"{lock.file} names {name}, which is no file of the repository.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    sources.mkdir(parents=True, exist_ok=True)
    return sources


def _commands(uv: str, lock: Lock, wanted: str | None, made: Path) -> list[list[str]]:
    version = ["--python", wanted] if wanted else []
    into = ["--python", str(made)]
    if lock.resolved:
        return [
            [uv, "venv", *version, str(made)],
            [uv, "pip", "compile", *into, *lock.arguments],
            [uv, "pip", "install", *into, "--requirement", lock.resolved],
        ]
    if lock.file == "uv.lock":
        return [[uv, "sync", "--frozen", "--no-install-project", "--no-install-workspace", *version]]
    return [
        [uv, "venv", *version, str(made)],
        [uv, "pip", "install", *into, *(lock.arguments or ("--requirement", lock.file))],
    ]


def _run(command: list[str], file: str, folder: Path, made: Path, environ: Mapping[str, str]) -> None:
    """Runs uv: with the logins of indexes only where it runs no code of what it installs.

    Raises:
        UncheckedError: it fails; quotes what it says.
    """
    attempts = [(command, False)]
    installs = command[1] != "venv"
    if installs and any(variables.is_login_of_uv(name, value) for name, value in environ.items()):
        attempts.insert(0, ([*command, "--no-build"], True))
    said = []
    for arguments, logins in attempts:
        seen = variables.for_uv(environ, logins=logins)
        try:
            done = subprocess.run(
                arguments,
                cwd=folder,
                env=seen | {"UV_PROJECT_ENVIRONMENT": str(made), "UV_NO_PROGRESS": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            told = f"{' '.join(command[:3])} took longer than {_SECONDS} seconds and was stopped."
            raise UncheckedError(told) from None
        if not done.returncode:
            return
        said.append(done.stderr.decode(errors="replace").strip())
    if len(said) > 1:
        said[1] = f"Without the logins of its settings, which no build script may see:\n{said[1]}"
    told = "\n".join(said)
    raise UncheckedError(f"The environment of {file} could not be made: {' '.join(command[:3])}\n{told}")


def _uv(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", os.path.expanduser("~"))
    places = [environ.get("PATH", os.defpath), f"{home}/.local/bin", f"{home}/.cargo/bin"]
    found = shutil.which("uv", path=os.pathsep.join(places))
    if found is None:
        with contextlib.suppress(ImportError, FileNotFoundError):
            from uv import find_uv_bin

            found = find_uv_bin()
    if found is None:
        raise UncheckedError(
            "The environment of a commit is made by uv, which was not found. Install it "
            "(pip install restore-guard[uv]), or give it to the hook: "
            "additional_dependencies: [uv] in .pre-commit-config.yaml."
        )
    return found


def _digest(lock: Lock, wanted: str | None) -> str:
    parts = [
        lock.file,
        wanted,
        *lock.arguments,
        lock.resolved,
        platform.machine(),
        platform.system(),
        platform.python_version_tuple()[:2],
    ]
    contents = {name: hashlib.sha256(content).hexdigest() for name, content in lock.contents.items()}
    return hashlib.sha256(json.dumps([parts, contents], sort_keys=True).encode()).hexdigest()[:32]
