"""What git is asked about, as plain data: states of the files, their differences, commits and tags."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import msgspec


class Side(msgspec.Struct, frozen=True):
    """One state of the files; `tree` is the sha of its git tree, None for the work tree."""

    kind: Literal["commit", "index", "worktree"]
    tree: str | None
    label: str

    @property
    def where(self) -> str:
        """It for a person, as after the name of a model: a commit's sha is cut."""
        return {"commit": f"at {self.label[:8]}", "index": "as it is staged", "worktree": "on disk"}[self.kind]

    @property
    def written(self) -> str:
        """The tree of a commit or of the index. Raises ValueError for the work tree."""
        if self.tree is None:
            raise ValueError(f"{self.label} has no git tree")
        return self.tree


Status = Literal["A", "M", "D", "R", "T"]


@dataclass(frozen=True)
class Change:
    """One file that differs. Paths are relative to the git root.

    Attributes:
        old_path: set where it was renamed.
        leads: it is a link or a submodule, below which other files may be.
    """

    status: Status
    path: str
    old_path: str | None = None
    leads: bool = field(default=False, compare=False)


class Commit(NamedTuple):
    """A commit, and the day on which it was made (2026-01-31)."""

    sha: str
    date: str

    @property
    def short(self) -> str:
        return self.sha[:8]


class Tag(NamedTuple):
    """A tag, the day on which it was made, and what it is of."""

    name: str
    date: str
    side: Side


class Reader(Protocol):
    """Gives the content of a file of the project, or None where there is none."""

    def __call__(self, path: str) -> bytes | None: ...
