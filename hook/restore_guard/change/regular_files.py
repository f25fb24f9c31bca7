"""Reading files on disk: what stands in the place of one may be a pipe, of which nothing ever comes."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read(path: Path) -> bytes:
    """The content of a file.

    Raises:
        OSError: it cannot be read, is a folder, or no regular file.
    """
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.ENXIO, "it is no regular file but a pipe or a device", str(path))
        return file.read()


def _at_once(path: str, flags: int) -> int:
    """Without this flag, opening a pipe waits for whoever writes into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
