"""What one side shows to a build."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

from restore_guard.change.repository import Repository
from restore_guard.change.states import Side

# Files change their time stamps in steps.
STEP = 0.05


class Tree:
    """What one side shows to a build."""

    def __init__(self, repository: Repository, side: Side) -> None:
        self.read = cache(repository.reader(side))
        self.root = repository.root / repository.project if side.tree is None else None
        self._listed = lambda: repository.files(side, repository.project)
        self._prefix = f"{repository.project}/" if repository.project else ""

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        """{folder: names in it} of a tree of git's."""
        names: dict[str, set[str]] = {"": set()}
        for path in self._listed():
            inner = path[len(self._prefix) :]
            while inner:
                folder, _, name = inner.rpartition("/")
                names.setdefault(folder, set()).add(name)
                inner = folder
        return names

    def kind(self, path: str) -> str | None:
        """file, folder or None."""
        if self.root is not None:
            place = self.root / path
            return "folder" if place.is_dir() else "file" if place.exists() else None
        if path in self._names:
            return "folder"
        folder, _, name = path.rpartition("/")
        return "file" if name in self._names.get(folder, ()) else None

    def names(self, folder: str) -> list[str]:
        if self.root is not None:
            with contextlib.suppress(OSError):
                return sorted(set(os.listdir(self.root / folder)) - {".git", "__pycache__"})
            return []
        return sorted(self._names.get(folder, ()))

    def settled(self, paths: Sequence[str], before: float) -> bool:
        """False where one of the paths may have changed on disk since a moment; git's own trees never do."""
        if self.root is None:
            return True
        places = [self.root / path for path in paths]
        return all(changed(place) < before - STEP for place in places)


def changed(path: Path) -> float:
    try:
        return path.stat().st_ctime
    except OSError:
        return 0.0
