"""Pointers of Git LFS."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
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


def fill(folder: Path, paths: Iterable[str], objects: Path) -> None:
    """Puts the content of those files that a clone has in the place of their pointers.

    Args:
        folder: the files of a commit.
        objects: the folder of the clone's own objects, beside which LFS keeps its.
    """
    folder = folder.resolve()
    for path in paths:
        oid = re.search(rb"^oid sha256:([0-9a-f]{64})$", pointer(folder / path) or b"", re.MULTILINE)
        # Neither a link of the commit nor a path that somebody wrote into a manifest leads out of the folder.
        if oid and (folder / path).resolve().is_relative_to(folder):
            name = oid[1].decode()
            content = objects.with_name("lfs") / "objects" / name[:2] / name[2:4] / name
            if content.is_file():
                shutil.copyfile(content, folder / path)
