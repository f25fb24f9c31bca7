"""What one side shows to a build."""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Sequence
from functools import cache, cached_property, partial
from pathlib import Path

from restore_guard.change.repository import Repository
from restore_guard.change.states import Side

# Files change their time stamps in steps.
STEP = 0.05


class Tree:
    """What one side shows to a build.

    Args:
        carried: files of the work tree, relative to the project, that a side of git's has as well.
    """

    def __init__(self, repository: Repository, side: Side, carried: Sequence[str] = ()) -> None:
        self._folder = repository.root / repository.project
        self._carried = frozenset(carried if side.tree is not None else ())
        self._of_side = repository.reader(side)
        self.read = cache(self._read)
        self.root = self._folder if side.tree is None else None
        self._listed = partial(repository.files, side)
        self._project = repository.folder(side)

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        """{folder: names in it} of a tree of git's, all relative to its root."""
        names: dict[str, set[str]] = {"": set()}
        for path in [*self._listed(), *map(self._inside, self._carried)]:
            while path:
                folder, _, name = path.rpartition("/")
                names.setdefault(folder, set()).add(name)
                path = folder
        return names

    def _read(self, path: str) -> bytes | None:
        path = posixpath.normpath(path)
        content = self._of_side(path)
        if content is None and path in self._carried:
            with contextlib.suppress(OSError):
                return (self._folder / path).read_bytes()
        return content

    def _inside(self, path: str) -> str:
        inside = posixpath.normpath(posixpath.join(self._project, path))
        return "" if inside == "." else inside

    def target(self, path: str) -> str | None:
        """What a link leads to, which for git is its content; None for what is no link, on disk."""
        if self.root is not None:
            with contextlib.suppress(OSError):
                return os.readlink(self.root / path)
            return None
        content = self.read(path)
        return os.fsdecode(content) if content is not None else None

    def kind(self, path: str) -> str | None:
        """file, folder or None."""
        if self.root is not None:
            place = self.root / path
            return "folder" if place.is_dir() else "file" if place.exists() else None
        path = self._inside(path)
        if path in self._names:
            return "folder"
        folder, _, name = path.rpartition("/")
        return "file" if name in self._names.get(folder, ()) else None

    def names(self, folder: str) -> list[str]:
        if self.root is not None:
            with contextlib.suppress(OSError):
                return sorted(set(os.listdir(self.root / folder)) - {".git", "__pycache__"})
            return []
        return sorted(self._names.get(self._inside(folder), ()))

    def settled(self, paths: Sequence[str], before: float) -> bool:
        """False where one of the paths may have changed on disk since a moment; git's own trees never do."""
        places = [self._folder / path for path in paths if self.root is not None or path in self._carried]
        return all(changed(place) < before - STEP for place in places)


def changed(path: Path) -> float:
    try:
        return path.stat().st_ctime
    except OSError:
        return 0.0
