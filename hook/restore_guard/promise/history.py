"""The promises that were ever committed: the distinct manifests of a model in git's history. Nothing is rebuilt."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from posixpath import basename, dirname, join, normpath

import msgspec

from restore_guard.change.repository import Repository
from restore_guard.change.states import Commit, Tag
from restore_guard.promise.manifest import Manifest, ManifestError, parse


class Kept(msgspec.Struct, frozen=True):
    """A manifest, and where in history it stood.

    Attributes:
        commits: those that have written it, the newest first.
        until: the commit that replaced it; None where it stands at HEAD.
        tags: the tags that have it, the oldest first.
    """

    manifest: Manifest
    commits: tuple[Commit, ...]
    until: Commit | None = None
    tags: tuple[Tag, ...] = ()

    @property
    def label(self) -> str:
        first = self.commits[-1]
        return f"since {first.short}, {first.date}" + (f", until {self.until.short}" if self.until else "")

    @property
    def title(self) -> str:
        """Its epoch and its label."""
        return f"epoch {self.manifest.epoch} ({self.label})"


def read(repository: Repository, file: str, tags: Iterable[Tag] = (), *, everywhere: bool = False) -> list[Kept]:
    """The distinct manifests that a file has ever been, the newest first; what cannot be read is left out.

    Args:
        file: relative to the project.
        tags: those that are looked into as well.
        everywhere: on all branches, and not only up to HEAD.
    """
    commits: dict[bytes, list[Commit]] = {}
    until: dict[bytes, Commit | None] = {}
    after: Commit | None = None
    for commit, content in repository.versions(file, everywhere=everywhere):
        if content is not None:
            commits.setdefault(content, []).append(commit)
            until.setdefault(content, after)
        after = commit
    released: dict[bytes, list[Tag]] = {}
    for tag in tags:
        content = repository.reader(tag.side)(file)
        if content is not None:
            released.setdefault(content, []).append(tag)
    return [
        Kept(manifest, tuple(written), until[content], tuple(released.get(content, ())))
        for content, written in commits.items()
        for manifest in [_parsed(content, file)]
        if manifest is not None
    ]


def names(repository: Repository, folder: str) -> list[str]:
    """The models that ever had a manifest in a folder of the project, those that are configured no more as well."""
    if repository.head() is None:
        return []
    inside = normpath(join(repository.project, folder))
    done = repository.ask("rev-list", "--objects", "HEAD", "--", f":(top,glob){inside}/*.json")
    paths = (line.partition(" ")[2] for line in os.fsdecode(done.output).splitlines())
    return sorted({basename(path).removesuffix(".json") for path in paths if dirname(path) == inside})


def _parsed(content: bytes, file: str) -> Manifest | None:
    try:
        return parse(content, file)
    except ManifestError:
        return None


def last_of_epochs(kept: Sequence[Kept]) -> list[Kept]:
    """The last promise of each epoch, which is what a migration to the next one starts from, the oldest epoch first.

    Branches that were merged have epochs of the same number: each has a history of its own.
    """
    found: dict[tuple[tuple[str, str], ...], Kept] = {}
    for each in kept:
        found.setdefault(tuple((entry.reason, repr(entry.broken)) for entry in each.manifest.history), each)
    return sorted(found.values(), key=lambda each: each.manifest.epoch)
