"""Checkpoints of a model restored into another one (`loads`): what of them the other one does not take. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from restore_guard.build import Witness
from restore_guard.change.diffs import Diff
from restore_guard.judging import findings
from restore_guard.judging.case import Case, Target, base_signature, paths_of, readable, saved_signature
from restore_guard.judging.comparison import Comparison, compare_across
from restore_guard.judging.evidence import outranked
from restore_guard.promise.manifest import AcceptedLoad, Manifest
from restore_guard.restore_paths import same_promise
from restore_guard.result import Finding
from restore_guard.signature import Signature


class Loading(msgspec.Struct, frozen=True):
    """What became of one target.

    Attributes:
        unchecked: whether something that decides could not be judged.
    """

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    unchecked: bool


def shared(one: Iterable[str], other: Iterable[str], model: Signature) -> tuple[str, ...]:
    """The restore paths by which checkpoints of one model are restored into another: both promise them.

    Args:
        model: the other one; what makes a model of its own restores into none.
    """
    others = {*other}
    return tuple(path for path in one if path in others and path not in model.load.revives)


def is_unchanged(case: Case, target: Target) -> bool:
    """Whether neither model is another one than at the base, for what matters here."""
    base, model = base_signature(case), target.build.signature
    if base is None or model is None or target.before is None:
        return False
    paths = shared(paths_of(case), target.restores, model)
    return same_promise(base, case.head, paths) and same_promise(target.before, model, paths)


def loadings(case: Case, migrated: Collection[str]) -> Iterator[Loading]:
    """What becomes of the checkpoints of a model, whose head builds, in each of the others that load them.

    Args:
        migrated: the restore paths by which old checkpoints get across into the model itself, as new ones of it.
    """
    for target in case.targets:
        model = target.build.signature
        paths = shared(paths_of(case), target.restores, model) if model is not None else ()
        about = f"Checkpoints of {case.name} are restored into {target.name}"
        if model is None:
            yield Loading((), (f"{about}, which could not be built: {target.build.failure}",), unchecked=True)
        elif not paths:
            yield Loading((), (f"{about}, and the two promise no restore path in common.",), unchecked=True)
        else:
            yield _loading(case, target, model, paths, migrated)


class _Source(msgspec.Struct, frozen=True):
    """Checkpoints of one age, and what a finding calls them; those of a release are not tried."""

    label: str
    signature: Signature
    accepted: tuple[AcceptedLoad, ...]
    witness: Witness | None = None
    released: bool = False


def _loading(case: Case, target: Target, model: Signature, paths: Sequence[str], migrated: Collection[str]) -> Loading:
    found: list[Finding] = []
    notes: list[str] = []
    kinds: dict[str, list[str]] = {path: [] for path in paths}
    known, doubt, unproved = _known(case, target, model, paths), False, False
    for source in _sources(case, target, paths):
        compared = compare_across(source.signature, model, paths, target.diff)
        if source.witness is not None:
            both = [outranked(comparison, source.witness) for comparison in compared]
            compared = [comparison for comparison, _ in both]
            failures = source.witness.failures
            notes += [f"{source.label}, not really tried: {failure}" for failure in failures]
            notes += [f"{source.label}: {note}" for _, told in both for note in told]
            unproved = unproved or (case.must_be_witnessed and bool(failures))
        for path, told in _told(compared):
            kinds[path].append(told)
        doubt = doubt or (not source.released and _is_doubtful(case, compared))
        across = migrated if source.signature is not case.head else ()
        context = findings.Context(case.name, case.manifest_file, case.config, known, source.accepted, migrated=across)
        found += losses(source.label, compared, context)
    said = "; ".join(f"{path} {' and '.join(dict.fromkeys(told))}" for path, told in kinds.items())
    notes.insert(0, f"Checkpoints of {case.name} restored into {target.name}: {said}.")
    return Loading(once(found), tuple(notes), unproved or (doubt and not is_unchanged(case, target)))


def losses(label: str, compared: Sequence[Comparison], context: findings.Context) -> list[Finding]:
    """The findings about values, each with whose checkpoints are restored into what."""
    return [
        msgspec.structs.replace(
            finding,
            message=f"{label}: {finding.message}",
            # No migration leads into another model.
            fix=f"{finding.fix} It is accepted by {finding.accept}" if finding.accept else finding.fix,
            accept="",
        )
        for finding in findings.findings_of(compared, context)
        if finding.restores
    ]


def once(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """What is found of checkpoints of several ages, told of the first of them."""
    first: dict[tuple[str, str | None, str | None], Finding] = {}
    for one in found:
        first.setdefault((one.rule, one.old, one.new), one)
    return tuple(first.values())


def label(whose: str, into: str) -> str:
    """What a finding calls checkpoints that are restored into another model."""
    return f"Checkpoints of {whose} restored into {into}"


def newer(label: str) -> str:
    """The same of checkpoints that the head saves, where there are older ones."""
    return f"New {label[0].lower()}{label[1:]}"


def accepted(promise: Manifest | None, current: Manifest | None, into: str) -> tuple[AcceptedLoad, ...]:
    """What a manifest accepts of loading into a model and an older one does not."""
    before = promise.loads if promise is not None else ()
    return tuple(entry for entry in (current.loads if current else ()) if entry.into == into and entry not in before)


def known(
    saved: Signature | None, before: Signature | None, now: tuple[Signature, Signature], paths: Sequence[str]
) -> frozenset[tuple[str, str, bool]]:
    """What was lost before the change; where there was nothing before, what the two models of today differ in.

    Args:
        saved, before: what the two models were.
        now: what they are.
    """
    pair = (saved, before) if saved is not None and before is not None else now
    return findings.known_keys(compare_across(*pair, paths, Diff({})))


def _known(case: Case, target: Target, model: Signature, paths: Sequence[str]) -> frozenset[tuple[str, str, bool]]:
    saved = saved_signature(readable(case.base_manifest), base_signature(case), paths)
    return known(saved, target.before, (case.head, model), paths)


def _sources(case: Case, target: Target, paths: Sequence[str]) -> Iterator[_Source]:
    promise, current = readable(case.base_manifest), readable(case.head_manifest)
    saved = saved_signature(promise, base_signature(case), paths)
    said, given = label(case.name, target.name), accepted(promise, current, target.name)
    if saved is not None:
        yield _Source(said, saved, given, target.old)
    if saved is None or not same_promise(saved, case.head, paths):
        yield _Source(newer(said) if saved is not None else said, case.head, given, target.new)
    for release in case.releases:
        if saved is None or not same_promise(release.promise.signature, saved, paths):
            its = accepted(release.promise, current, target.name)
            said = label(f"{case.name} of {release.label}", target.name)
            yield _Source(said, release.promise.signature, its, released=True)


def _told(compared: Sequence[Comparison]) -> Iterator[tuple[str, str]]:
    for comparison in compared:
        for path, outcome in comparison.outcomes.items():
            yield path, f"{outcome.kind}{' (witnessed)' if outcome.witnessed else ''}"


def _is_doubtful(case: Case, compared: Sequence[Comparison]) -> bool:
    outcomes = [outcome for comparison in compared for outcome in comparison.outcomes.values()]
    return any(
        not outcome.certain
        or outcome.contradicted
        or (case.must_be_witnessed and not outcome.witnessed and outcome.kind != "unsupported")
        for outcome in outcomes
    )


__all__ = ["Loading", "accepted", "is_unchanged", "known", "label", "loadings", "losses", "newer", "once", "shared"]
