"""Whether a model may take the place of what is promised: what would break, and whether somebody has accepted that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from restore_guard.change.diffs import Diff
from restore_guard.config import Config, RestorePath
from restore_guard.judging import findings
from restore_guard.judging.case import promised
from restore_guard.judging.comparison import Comparison, compare, troubles
from restore_guard.promise.manifest import Accepted, Broken, Manifest, Release, since
from restore_guard.promise.merging import joined_history
from restore_guard.restore_paths import Outcome
from restore_guard.result import Finding
from restore_guard.signature import Revival, Signature

Keys = frozenset[tuple[str, str, bool]]


class Promises(msgspec.Struct, frozen=True):
    """What must stay restorable: the current manifest, and those of releases in service.

    Attributes:
        theirs, ancestor: while branches are being merged, the manifest of the other side, and that of the commit
            where they parted.
    """

    current: Manifest | None
    releases: tuple[Release, ...] = ()
    theirs: Manifest | None = None
    ancestor: Manifest | None = None

    @property
    def sides(self) -> list[Manifest]:
        return [promise for promise in (self.current, self.theirs) if promise is not None]

    @property
    def manifests(self) -> list[Manifest]:
        return [*self.sides, *(release.promise for release in self.releases)]

    @property
    def signatures(self) -> list[Signature]:
        return [promise.signature for promise in self.manifests]

    @property
    def past(self) -> tuple[int, tuple[Accepted, ...]]:
        """The epoch and the history that a new manifest continues."""
        if self.current is None:
            return 1, ()
        if self.theirs is None:
            return self.current.epoch, self.current.history
        return joined_history(self.ancestor, self.current, self.theirs)

    def paths(self, settings: Config, name: str) -> tuple[str, ...]:
        """The restore paths that the build must be good for."""
        promised = [path for promise in self.manifests for path in promise.restores]
        return tuple(dict.fromkeys([*(settings.models[name].restores or ()), *promised]))

    def kept(self, old: Manifest) -> list[str]:
        """The restore paths on which a promise is owed.

        A commit that is picked from another branch has that branch's other changes, which were never promised here.
        """
        if old is not self.theirs or self.ancestor is None or self.current is None:
            return list(old.restores)
        accepted = since(self.ancestor, self.current.history)
        lost = {
            trouble.path
            for comparison in _between(self.ancestor, self.current)
            for trouble in troubles(comparison)
            if not findings.is_accepted(trouble, accepted)
        }
        return [path for path in old.restores if path not in lost]

    def known(self, old: Manifest) -> Keys:
        """What of a promise was no longer kept before: an earlier change's doing, or that of the other side alone."""
        if old is self.theirs:
            return _broken_between(self.ancestor, self.current)
        if old is self.current:
            return _broken_between(self.ancestor, self.theirs)
        return frozenset().union(*(_broken_between(old, side) for side in self.sides))


class Settled(msgspec.Struct, frozen=True):
    """What a new manifest says of breaks; `history` is None where one has no reason."""

    epoch: int
    history: tuple[Accepted, ...] | None
    breaks: tuple[Finding, ...]


def settle(
    settings: Config,
    name: str,
    file: str,
    promises: Promises,
    own: Manifest | None,
    signature: Signature,
    *,
    revived: Mapping[str, Revival] | None = None,
    loads: Sequence[Comparison] = (),
    reason: str | None = None,
) -> Settled:
    """What the manifest of a model may say.

    Args:
        file: the model's manifest.
        own: what is on disk of it, which may accept breaks that no commit has yet.
        loads: a checkpoint file, loaded into the model that is to be pinned to it.
        reason: why a break is accepted.
    """
    promise, (epoch, committed) = promises.current, promises.past
    history = own.history if own is not None and _continues(own.history, committed) else committed
    compared: list[Comparison] = []
    breaks: dict[tuple[str, str | None, str | None], Finding] = {}
    for old, comparisons in _compared(settings, name, promises, signature, revived or {}, loads):
        context = findings.Context(
            name,
            file,
            settings,
            known=promises.known(old) if old is not None else frozenset(),
            accepted=since(old, history) if old is not None else history[len(committed) :],
        )
        mine = [f for f in findings.findings_of(comparisons, context) if f.restores and f.status != "pre-existing"]
        if mine:
            compared += comparisons
            breaks |= {(f.rule, f.old, f.new): f for f in mine if (f.rule, f.old, f.new) not in breaks}
    found = tuple(breaks.values())
    # A warning, or what the configuration ignores, needs no reason.
    grave = [finding for finding in found if finding.level == "error" and finding.status != "ignored"]
    if not grave:
        # A file that was pinned in spite of what it lacks restores from then on as far as it is promised.
        if own is not None and promise is not None and own.pinned != promise.pinned:
            return Settled(own.epoch, own.history, found)
        return Settled(epoch, committed, found)
    if reason is None:
        if all(finding.status == "accepted" for finding in grave):
            return Settled(max(entry.epoch for entry in history), history, found)
        return Settled(epoch, None, found)
    entry = Accepted(epoch + 1, " ".join(reason.split()), broken_by(compared))
    return Settled(entry.epoch, (*committed, entry), tuple(map(accepted, found)))


def accepted(finding: Finding) -> Finding:
    """The finding, once somebody has said why: there is nothing left to do about it."""
    return msgspec.structs.replace(finding, status="accepted", fix="", accept="")


def _compared(
    settings: Config,
    name: str,
    promises: Promises,
    signature: Signature,
    revived: Mapping[str, Revival],
    loads: Sequence[Comparison],
) -> Iterator[tuple[Manifest | None, Sequence[Comparison]]]:
    """Each promise with its checkpoints restored into the model; last a file's, which no manifest promises."""
    for old in promises.manifests:
        own = old is promises.current
        paths = promised(settings, name, old, signature) if own else promises.kept(old)
        yield old, compare(old.signature, signature, paths, Diff({}, compared=False), revived)
    yield None, loads


def _continues(history: Sequence[Accepted], committed: Sequence[Accepted]) -> bool:
    return all(entry in history for entry in committed)


def _broken_between(old: Manifest | None, new: Manifest | None) -> Keys:
    """What of one promise the other does not keep."""
    return findings.known_keys(_between(old, new)) if old is not None and new is not None else frozenset()


def _between(old: Manifest, new: Manifest) -> list[Comparison]:
    # What the code of that time made of a configuration is known to nobody any more.
    paths = [path for path in old.restores if path not in new.signature.load.revives]
    return compare(old.signature, new.signature, paths, Diff({}))


def broken_by(compared: Sequence[Comparison]) -> dict[RestorePath, Broken]:
    """{restore path: what is broken on it}, of all comparisons together."""
    broken: dict[Any, Broken] = {}
    for comparison in compared:
        for path, outcome in comparison.outcomes.items():
            new, old = _broken(outcome, comparison.misplaced(path)), broken.get(path)
            if new is not None and old is not None:
                new = Broken(
                    max(old.outcome, new.outcome),  # raises is after partial
                    tuple(dict.fromkeys([*old.initial, *new.initial])),
                    tuple(dict.fromkeys([*old.unused, *new.unused])),
                    tuple(dict.fromkeys([*old.misplaced, *new.misplaced])),
                    old.error or new.error,
                )
            if new is not None:
                broken[path] = new
    return broken


def _broken(outcome: Outcome, misplaced: Mapping[str, str]) -> Broken | None:
    """What the history keeps of an outcome; None where nothing is broken."""
    if outcome.kind == "raises":
        error = (outcome.error or "").splitlines()
        return Broken(outcome.kind, error=error[0] if error else None)
    if outcome.kind == "unsupported" or not (outcome.initial or outcome.unused or misplaced):
        return None
    return Broken(outcome.kind, outcome.initial, outcome.unused, tuple(misplaced))
