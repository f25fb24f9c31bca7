"""A folder that is in no git repository: its files as they are on disk, and no history."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from restore_guard.change.git_command import Done
from restore_guard.change.repository import Repository
from restore_guard.change.states import Commit, Side, Tag
from restore_guard.errors import UncheckedError


class Folder(Repository):
    """What a repository tells of its work tree, told of a folder; git is never asked."""

    def __init__(self, path: str | Path = ".") -> None:
        self.root = Path(path).resolve()

    def rest(self) -> None:
        """Nothing runs that has the environment."""

    @property
    def project(self) -> str:
        return ""

    def folder(self, side: Side) -> str:
        return ""

    def files(self, side: Side, under: str = "") -> list[str]:
        found = (Path(folder, name) for folder, _, names in os.walk(self.root / under) for name in names)
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def head(self) -> Side | None:
        return None

    def untracked(self) -> list[str]:
        return []

    def ignored(self, patterns: Sequence[str]) -> list[str]:
        return []

    def dated_tags(self) -> list[Tag]:
        return []

    def versions(self, path: str, *, everywhere: bool = False) -> Iterator[tuple[Commit, bytes | None]]:
        return iter(())

    def ask(self, *arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Done:
        raise UncheckedError(f"{self.root} is in no git repository.")


def opened(path: str | Path = ".") -> Repository:
    """The repository that a folder is in, or the folder alone where there is none."""
    folder = Path(path).resolve()
    is_inside = any((each / ".git").exists() for each in (folder, *folder.parents))
    return Repository(path) if is_inside else Folder(path)
