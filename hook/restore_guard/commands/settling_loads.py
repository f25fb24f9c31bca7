"""Whether a model's checkpoints may go on being restored into other models as they are now, or somebody accepts that
they are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from restore_guard.build import Build
from restore_guard.change.diffs import Diff
from restore_guard.commands.settling import Promises, accepted, broken_by
from restore_guard.config import Config
from restore_guard.judging import findings, loading
from restore_guard.judging.comparison import Comparison, compare_across
from restore_guard.promise.manifest import AcceptedLoad, Manifest
from restore_guard.result import Finding
from restore_guard.signature import Signature


class Into(msgspec.Struct, frozen=True):
    """Another model that checkpoints are restored into.

    Attributes:
        build: of the files of today; before: the manifest that was committed.
        restores: the restore paths that it promises.
    """

    name: str
    build: Build
    before: Manifest | None
    restores: tuple[str, ...]


class Loader(msgspec.Struct, frozen=True):
    """A model whose checkpoints are restored into others.

    Attributes:
        file: its manifest; own: what is on disk of it.
        model: what the files of today build; paths: the restore paths that it promises.
    """

    name: str
    file: str
    config: Config
    promises: Promises
    own: Manifest | None
    model: Signature
    paths: tuple[str, ...]

    @property
    def committed(self) -> tuple[AcceptedLoad, ...]:
        """What the committed manifests accept."""
        return tuple({msgspec.json.encode(entry): entry for one in self.promises.sides for entry in one.loads}.values())

    @property
    def kept(self) -> tuple[AcceptedLoad, ...]:
        """The same with what the manifest on disk accepts besides."""
        if self.own is None or not all(entry in self.own.loads for entry in self.committed):
            return self.committed
        return self.own.loads


class SettledLoads(msgspec.Struct, frozen=True):
    """What a new manifest accepts; None where a loss has no reason. `notes` say what could not be judged."""

    accepted: tuple[AcceptedLoad, ...] | None
    breaks: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def settle_loads(loader: Loader, others: Sequence[Into], reason: str | None) -> SettledLoads:
    """What the manifest of a model may accept of losses in other models.

    Args:
        reason: why a loss is accepted.
    """
    found: list[Finding] = []
    entries: list[AcceptedLoad] = []
    notes: list[str] = []
    for into in others:
        if into.build.signature is None:
            notes.append(f"{into.name}, into which its checkpoints are restored, could not be built")
            continue
        losses, compared = _losses(loader, into, into.build.signature)
        found += losses
        if any(_is_grave(finding) for finding in losses):
            entries.append(AcceptedLoad(into.name, " ".join((reason or "").split()), broken_by(compared)))
    grave = [finding for finding in found if _is_grave(finding)]
    if not grave:
        return SettledLoads(loader.committed, tuple(found), tuple(notes))
    if all(finding.status == "accepted" for finding in grave):
        return SettledLoads(loader.kept, tuple(found), tuple(notes))
    if reason is None:
        return SettledLoads(None, tuple(found), tuple(notes))
    told = [accepted(finding) if _is_grave(finding) else finding for finding in found]
    return SettledLoads((*loader.committed, *entries), tuple(told), tuple(notes))


def _is_grave(finding: Finding) -> bool:
    return finding.level == "error" and finding.status in ("new", "accepted")


def _losses(loader: Loader, into: Into, model: Signature) -> tuple[list[Finding], list[Comparison]]:
    """The findings of one target, and the comparisons that have new ones."""
    paths = loading.shared(loader.paths, into.restores, model)
    current, before = loader.promises.current, into.before
    known = loading.known(
        current.signature if current else None, before.signature if before else None, (loader.model, model), paths
    )
    found: list[Finding] = []
    broken: list[Comparison] = []
    for label, saved, promise in _sources(loader, into.name):
        kept = msgspec.structs.replace(promise, loads=loader.kept) if promise is not None else None
        context = findings.Context(
            loader.name, loader.file, loader.config, known, loading.accepted(promise, kept, into.name)
        )
        compared = compare_across(saved, model, paths, Diff({}, compared=False)) if paths else []
        its = loading.losses(label, compared, context)
        if any(_is_grave(finding) for finding in its):
            broken += compared
        found += its
    return list(loading.once(found)), broken


def _sources(loader: Loader, into: str) -> Iterator[tuple[str, Signature, Manifest | None]]:
    """(What a finding calls the checkpoints, what they hold, the manifest that promised them)."""
    said = loading.label(loader.name, into)
    for promise in loader.promises.manifests:
        yield said, promise.signature, promise
    said = loading.newer(said) if loader.promises.manifests else said
    yield said, loader.model, loader.promises.current


__all__ = ["Into", "Loader", "SettledLoads", "settle_loads"]
