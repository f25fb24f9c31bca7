"""Environments in the user's cache: a few, the latest used, and none is removed while a run uses it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from restore_guard import folders
from restore_guard.environments.managers import python_of

MOST = 6
"""Environments with TensorFlow take one to two gigabytes each; a run uses two."""

_ASIDE = ".making-"
_DIGITS = 32  # of a digest, which names an environment

# Descriptors that are open, and so locks that are held, for as long as this process lives.
_held: list[int] = []


def reuse(folder: Path) -> Path | None:
    """The Python of an environment, which nobody removes while this process lives; None where there is none."""
    try:
        held = folders.hold(folder, alone=False)
    except BlockingIOError:  # it is being removed
        return None
    python = python_of(folder)
    if held is not None and python is not None:
        _held.append(held)
    elif held is not None:
        os.close(held)
    if python is not None:
        with contextlib.suppress(OSError):
            os.utime(folder)
    return python


@contextlib.contextmanager
def aside(home: Path) -> Iterator[Path]:
    """A folder to make an environment in: two runs at once, or one that is stopped, leave nothing half done."""
    home.mkdir(parents=True, exist_ok=True)
    folders.remove_abandoned(home, _ASIDE)
    with folders.temporary(home, _ASIDE) as path:
        yield path


def make_room(home: Path, most: int = MOST) -> None:
    """Removes the environments that were not used for longest, where there are more than enough."""
    found = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(home):
            if entry.is_dir(follow_symlinks=False) and folders.is_ours(entry.name, _DIGITS):
                found.append((entry.stat().st_mtime_ns, entry.path))
    for _, path in sorted(found, reverse=True)[most:]:
        # In use, or already gone: it stays as it is.
        with contextlib.suppress(OSError):
            held = folders.hold(Path(path))
            # Gone at once for whoever looks for it; the files take a moment.
            with folders.temporary(home, _ASIDE) as out:
                os.rename(path, out / "environment")
            if held is not None:
                os.close(held)
