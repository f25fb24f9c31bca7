"""The sides of a file that a merge, a rebase or a cherry-pick joins: git keeps them until it is over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from restore_guard.change.repository import Repository
from restore_guard.change.states import Side


class Joined(NamedTuple):
    """One file on both sides, and where they parted; None where there was none."""

    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


def of(repository: Repository, path: str) -> Joined | None:
    """Both sides of a file; None where nothing is being merged, or only one side changed it.

    Args:
        path: relative to the root of the repository.

    Raises:
        UncheckedError: a commit is not in this clone.
    """
    conflict = _unmerged(repository, path)
    if conflict is not None:
        return conflict
    for sides in _joining(repository, path):
        found = Joined(*(repository.read(side, path) if side is not None else None for side in sides))
        if found.ours != found.theirs and found.base not in (found.ours, found.theirs):
            return found
    return None


def _unmerged(repository: Repository, path: str) -> Joined | None:
    """As the index keeps them until a conflict is resolved."""
    listed = os.fsdecode(repository.ask("ls-files", "-u", "-z", "--", f":(top,literal){path}").output)
    entries = [entry.partition("\t")[0].split() for entry in listed.split("\0")[:-1]]
    blobs = {stage: repository.ask("cat-file", "blob", blob).output for _, blob, stage in entries}
    return Joined(blobs.get("1"), blobs["2"], blobs["3"]) if {"2", "3"} <= blobs.keys() else None


def _joining(repository: Repository, path: str) -> Iterator[tuple[Side | None, Side, Side]]:
    """(where they parted, this side, the other side) of what is under way, or of a HEAD with a conflict in it."""
    head = repository.head()
    if head is None:
        return
    for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD"):
        if not repository.ask("rev-parse", "--verify", "--quiet", name).status:
            other = repository.commit(name)
            yield _parted(repository, head, other) if name == "MERGE_HEAD" else repository.parent(other), head, other
    if b"<<<<<<<" not in (repository.read(head, path) or b""):
        return
    listed = repository.ask("rev-list", "--parents", "--max-count=1", head.label).output.split()[1:]
    if len(listed) == 2:
        first, second = (repository.commit(os.fsdecode(sha)) for sha in listed)
        yield _parted(repository, first, second), first, second


def _parted(repository: Repository, one: Side, other: Side) -> Side | None:
    found = repository.ask("merge-base", one.label, other.label)
    return repository.commit(os.fsdecode(found.output).strip()) if not found.status else None
