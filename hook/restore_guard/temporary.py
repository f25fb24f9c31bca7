"""Folders that are gone when the run is over, also where a signal ends it while they are being removed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder() -> Iterator[Path]:
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
