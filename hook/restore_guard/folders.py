"""Folders of the tool's own: temporary ones, and the one that keeps what can be made again.

Whoever uses a folder holds a lock on it, which the system takes back however the process ends: so what a killed run
has left is told from what another run is using.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_PREFIX = "restore-guard-run-"
_HALF = ".restore-guard-half-"
# Between making a folder and locking it.
_YOUNG = 60
# Bytes of what follows the prefix, which nobody else gives a folder: what a user calls restore-guard-demo stays.
_RANDOM = 8


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Where this user keeps what can be made again; RESTORE_GUARD_CACHE names another place.

    None for a user without a home.
    """
    if named := environ.get("RESTORE_GUARD_CACHE"):
        return Path(named).absolute()
    import platformdirs

    try:
        found = platformdirs.user_cache_path("restore-guard", appauthor=False)
    except RuntimeError:
        return None
    return found if found.is_absolute() else None


@contextmanager
def temporary(parent: Path | None = None, prefix: str = _PREFIX) -> Iterator[Path]:
    """A new folder that is gone when the run is over, also where a signal ends it.

    Args:
        parent: where it is made; None for among the temporary files.
    """
    path = Path(parent or tempfile.gettempdir()).absolute() / f"{prefix}{secrets.token_hex(_RANDOM)}"
    path.mkdir(mode=stat.S_IRWXU)
    held = hold(path)
    try:
        yield path
    finally:
        try:
            remove(path)
        finally:
            if held is not None:
                os.close(held)


def hold(path: Path, *, alone: bool = True) -> int | None:
    """Locks a folder for as long as the returned descriptor is open; None where it is gone, or cannot be locked.

    Args:
        alone: nobody else may hold it; False shares it with others that do not want it alone.

    Raises:
        BlockingIOError: somebody else holds it.
    """
    if sys.platform == "win32":  # what is in use cannot be removed there
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    kept = False
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        # It may have been removed, or replaced, in between.
        kept = os.path.samestat(os.fstat(descriptor), os.stat(path))
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        pass
    finally:
        if not kept:
            os.close(descriptor)
    return descriptor if kept else None


def remove(path: Path) -> None:
    """Removes a folder, whatever its files forbid. What cannot be removed all the same stays, and harms nobody."""
    try:
        shutil.rmtree(path)
    except OSError:
        _allow(path)
        shutil.rmtree(path, ignore_errors=True)
    except BaseException:
        # The command lets no second signal through.
        shutil.rmtree(path, ignore_errors=True)
        raise


def remove_abandoned(parent: Path | None = None, prefix: str = _PREFIX) -> None:
    """Removes what runs have left that were killed; the arguments are those of `temporary`."""
    try:
        entries = [
            entry
            for entry in os.scandir(parent or tempfile.gettempdir())
            if entry.name.startswith(prefix) and is_ours(entry.name.removeprefix(prefix), 2 * _RANDOM)
        ]
    except OSError:
        return
    for entry in entries:
        with contextlib.suppress(OSError):
            state = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(state.st_mode) or _is_others(state) or state.st_mtime > time.time() - _YOUNG:
                continue
            held = hold(Path(entry.path))
            if held is not None:
                remove(Path(entry.path))
                os.close(held)


def is_ours(name: str, digits: int) -> bool:
    """Whether a name is one that only this tool gives: so many hexadecimal digits.

    Other things may lie beside, as where RESTORE_GUARD_CACHE names a folder of the user's: nobody removes those.
    """
    return re.fullmatch(f"[0-9a-f]{{{digits}}}", name) is not None


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Writes a file at once or not at all, and removes what a killed run has left half written beside it."""
    for left in path.parent.glob(f"{_HALF}*"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < time.time() - _YOUNG:
                left.unlink()
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=_HALF)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _is_others(state: os.stat_result) -> bool:
    return hasattr(os, "geteuid") and state.st_uid != os.geteuid()


def _allow(path: Path) -> None:
    """Gives back what a folder, or one in it, forbids; what a link leads to is not ours."""
    with contextlib.suppress(OSError):
        os.chmod(path, stat.S_IRWXU)
    for around, names, files in os.walk(path):
        for name in [*names, *(files if os.name == "nt" else ())]:
            place = os.path.join(around, name)
            if not os.path.islink(place):
                with contextlib.suppress(OSError):
                    os.chmod(place, stat.S_IRWXU)
