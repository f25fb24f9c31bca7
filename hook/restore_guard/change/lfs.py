"""Pointers of Git LFS."""

from __future__ import annotations

from pathlib import Path

_START = b"version https://git-lfs.github.com/spec/v1\n"


def pointer(file: Path) -> bytes | None:
    """The pointer that stands in the place of a file; None where the file itself is there."""
    try:
        with file.open("rb") as opened:
            start = opened.read(1024)
    except OSError:
        return None
    return start if start.startswith(_START) else None
