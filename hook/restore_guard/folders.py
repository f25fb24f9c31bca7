"""Folders that are gone when the run is over, also where a signal ends it while they are being removed."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="restore-guard-"))
    try:
        yield path
    finally:
        try:
            shutil.rmtree(path)
        except BaseException:
            # The command lets no second signal through.
            shutil.rmtree(path, ignore_errors=True)
            raise


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Where this user keeps what can be made again; RESTORE_GUARD_CACHE names another place."""
    if named := environ.get("RESTORE_GUARD_CACHE"):
        return Path(named).absolute()
    try:
        if sys.platform == "darwin":
            caches = Path.home() / "Library" / "Caches"
        elif os.name == "nt":
            caches = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        else:
            caches = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a user without a home
        return None
    return caches / "restore-guard"
