"""The verdict on one model: what its builds, manifests and history say together. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import msgspec

from restore_guard import rules
from restore_guard.build import Witness
from restore_guard.change.diffs import Diff
from restore_guard.change.pins_moved import is_framework
from restore_guard.judging import findings
from restore_guard.judging.about_manifest import about_manifest, accepted_breaks, manifest_state
from restore_guard.judging.case import (
    Case,
    base_signature,
    behaviour_of,
    paths_of,
    promised,
    promised_inputs,
    readable,
    saved_signature,
    with_sites,
)
from restore_guard.judging.comparison import Comparison, compare
from restore_guard.judging.draws import certain, drawn
from restore_guard.judging.evidence import outranked
from restore_guard.judging.migrated import carries, outcomes, with_migrations
from restore_guard.promise.manifest import Accepted, Manifest, ManifestError
from restore_guard.restore_paths import Outcome, restore_unchanged, same_promise
from restore_guard.restore_paths.situations import TRAINED
from restore_guard.result import Finding, ModelResult, PathResult, Situation
from restore_guard.rules.shared.facts import Draw, Facts
from restore_guard.signature import Signature


def judge(case: Case) -> ModelResult:
    """Returns the verdict on a model that a change may have touched."""
    head = case.head_build.signature
    if head is None:
        return _unbuilt(case)
    notes = _notes(case)
    promise, base = readable(case.base_manifest), base_signature(case)
    paths = paths_of(case)
    saved = saved_signature(promise, base, paths)
    compared = compare(saved, head, paths, case.diff, case.head_revivals) if saved else []
    if case.witness is not None:
        compared, disagreements = _outranked(compared, case.witness)
        notes += disagreements
    accepted, draw = accepted_breaks(case), drawn(case)
    migrations = outcomes(case, saved, head) if saved is not None else {}
    across = frozenset(path for path, migrated in migrations.items() if migrated.outcome == "restores")
    found: list[Finding] = []
    if saved is not None:
        known = _known(case, promise, base, paths)
        context = replace(_context(case, known, accepted), migrated=across)
        if draw is not None:
            context = replace(context, certain=certain(case, saved, compared))
        found = findings.find(compared, context)
    elif case.base_build is None:
        notes.append("New here: there is no older checkpoint to restore.")
    found += _of_releases(case, head, base, saved, found)
    doubtful = [path for comparison in compared for path in _doubtful(case, comparison)]
    contradicted = any(outcome.contradicted for one in compared for outcome in one.outcomes.values())
    unread = [path for path in doubtful if path in head.unread]
    notes += [f"{path} cannot be judged: {head.unread[path]}." for path in unread]
    if custom := [path for path in doubtful if path not in unread]:
        notes.append(
            f"{', '.join(custom)}: a layer saves or loads its variables by code of its own, which is not simulated, "
            "so the outcome is not certain: only a witness can tell (--witness always)."
        )
    notes += case.unread_releases
    found += rules.about(_facts(case, compared, found, draw))
    notes += _other_moves(case)
    unproved = case.must_be_witnessed and not _is_witnessed(case, compared)
    if unproved and not (case.witness and case.witness.failures):
        notes.append("No real restore was seen by every path, which --witness always asks for.")
    state = manifest_state(case, head)
    found = findings.ignoring(found, _context(case))
    breaks = any(finding.fails for finding in found) or (draw is not None and bool(draw.decides))
    about = with_migrations(case, saved, head, about_manifest(case, head, breaks))
    found += findings.ignoring(rules.about(about), _context(case))
    results = {
        path: _with_outputs(case, path, path_result(outcome, comparison.model, comparison.misplaced(path)))
        for comparison in compared
        for path, outcome in comparison.outcomes.items()
    }
    if saved is None:
        results = {path: path_result(restore_unchanged(path, head), head, {}) for path in paths}
    return ModelResult(
        name=case.name,
        verdict="breaks"
        if any(finding.fails for finding in found)
        else "unchecked"
        if doubtful
        or contradicted
        or _is_promise_lost(case, saved)
        or case.unread_releases
        or unproved
        or any(finding.unchecked and finding.level != "off" for finding in found)
        else "restores",
        variables=sum(not variable.seed for variable in head.variables),
        manifest=state,
        restores={path: msgspec.structs.replace(results[path], migration=migrations.get(path)) for path in paths},
        behaviour=behaviour_of(case),
        findings=tuple(finding for finding in found if finding.level != "off"),
        notes=tuple(notes),
    )


def _is_promise_lost(case: Case, saved: Signature | None) -> bool:
    """Whether there is a base of which what was promised cannot be read, or nothing at all could be judged."""
    return isinstance(case.base_manifest, ManifestError) or (saved is None and case.base_build is not None)


def _outranked(compared: Sequence[Comparison], witness: Witness) -> tuple[list[Comparison], list[str]]:
    both = [outranked(comparison, witness) for comparison in compared]
    notes = [f"Not really tried: {failure}" for failure in witness.failures]
    return [comparison for comparison, _ in both], notes + [note for _, told in both for note in told]


def _of_releases(
    case: Case, head: Signature, base: Signature | None, saved: Signature | None, found: Sequence[Finding]
) -> list[Finding]:
    """What restores step by step need not restore end to end: each release's promise against the head.

    Args:
        saved: what was compared with the head already, by the paths of `case`: a release of the same promise needs
            no second verdict.
    """
    paths = paths_of(case)
    told = {(finding.rule, finding.old, finding.new) for finding in found}
    current = readable(case.head_manifest)
    findings_of: list[Finding] = []
    for release in case.releases:
        promise = release.promise
        if saved and {*promise.restores} <= {*paths} and same_promise(promise.signature, saved, promise.restores):
            continue
        released = with_sites(promise.signature, base)
        compared = compare(released, head, promise.restores, case.diff, case.head_revivals)
        known = (
            findings.known_keys(compare(promise.signature, base, promise.restores, Diff({}), case.base_revivals))
            if base is not None
            else frozenset()
        )
        accepted = tuple(entry for entry in current.history if entry.epoch > promise.epoch) if current else ()
        migrated = promise.restores if carries(case, promise, head) else ()
        context = replace(_context(case, known, accepted), migrated=migrated)
        for finding in findings.find(compared, context):
            key = finding.rule, finding.old, finding.new
            if finding.restores and key not in told:
                told.add(key)
                message = f"Checkpoints of {release.label}: {finding.message}"
                findings_of.append(msgspec.structs.replace(finding, message=message))
    return findings_of


def _other_moves(case: Case) -> list[str]:
    others = [str(move) for move in case.moves if not is_framework(move.package)]
    if not others or case.config.environment != "shared":
        return []
    shown = ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
    return [f"Built with the packages that are installed now: what {shown} changes was not judged."]


def _context(
    case: Case, known: Collection[tuple[str, str, bool]] = frozenset(), accepted: Sequence[Accepted] = ()
) -> findings.Context:
    return findings.Context(case.name, case.manifest_file, case.config, known, accepted, behaviour_of(case))


def _facts(case: Case, compared: Sequence[Comparison], found: Sequence[Finding], draw: Draw | None) -> Facts:
    return Facts(
        case.name,
        case.manifest_file,
        case.config,
        head=case.head_build.signature,
        base=base_signature(case),
        promised=promised_inputs(case),
        moves=case.moves,
        comparison=compared[0] if compared else None,
        witness=case.witness,
        explained={path for finding in found for path in finding.restores},
        draw=draw,
    )


def _doubtful(case: Case, comparison: Comparison) -> list[str]:
    """The restore paths whose outcome cannot be known: the model changed, and code that is not simulated decides."""
    if case.diff.is_cosmetic and same_promise(comparison.saved, comparison.model, comparison.outcomes):
        return []
    return [path for path, outcome in comparison.outcomes.items() if not outcome.certain and not outcome.contradicted]


def _unbuilt(case: Case) -> ModelResult:
    state = (
        "missing"
        if case.head_manifest is None
        else "stale"
        if isinstance(case.head_manifest, ManifestError)
        else "current"
    )
    build = case.head_build
    failed = rules.about(Facts(case.name, case.manifest_file, case.config, failure=build.failure, detail=build.detail))
    about = rules.about(about_manifest(case, None, breaks=False))
    return ModelResult(
        name=case.name,
        verdict="breaks" if any(other.fails for other in about) else "unchecked",
        manifest=state,
        findings=(*failed, *about),
    )


def _notes(case: Case) -> list[str]:
    notes = []
    if case.head_build.strategy == "eager":
        why = (case.head_build.because or "it cannot do without").splitlines()[0]
        notes.append(f"Built with all its weights in memory, because a build without them failed: {why}")
    if case.base_build is not None and case.base_build.signature is None:
        judged = "its manifest" if readable(case.base_manifest) else "nothing"
        notes.append(f"The base no longer builds, so it is judged by {judged}: {case.base_build.failure}")
    if isinstance(case.base_manifest, ManifestError):
        notes.append(f"The base's manifest cannot be read, so the base's build stands in for it: {case.base_manifest}")
    elif case.base_manifest is None and case.base_build is not None:
        notes.append("The base has no manifest, so its build stands in for it.")
    promise = readable(case.base_manifest)
    if promise is not None:
        notes += [f"{path}: judged by {name}, which the manifest pins." for path, name in promise.pinned.items()]
    return notes


def _known(
    case: Case, promise: Manifest | None, base: Signature | None, paths: Sequence[str]
) -> frozenset[tuple[str, str, bool]]:
    if promise is None or base is None or saved_signature(promise, base, paths) is base:
        return frozenset()
    return findings.known_keys(compare(promise.signature, base, paths, Diff({}), case.base_revivals))


def _is_witnessed(case: Case, compared: Sequence[Comparison]) -> bool:
    """Whether a real restore was seen by every path that there are checkpoints of."""
    if case.witness is None or case.witness.failures:
        return False
    outcomes = [outcome for comparison in compared for outcome in comparison.outcomes.values()]
    return all(outcome.witnessed for outcome in outcomes if outcome.kind != "unsupported")


def _with_outputs(case: Case, path: str, result: PathResult) -> PathResult:
    """The result of a path with whether its outputs are those of what was saved."""
    if result.outcome != "restores":
        return result
    if case.witness is None:
        return msgspec.structs.replace(result, uncompared=case.unwitnessed)
    seen = case.witness.observations.get(path)
    if seen is None or seen.behaviour is None:
        why = (seen and seen.uncompared) or "no real restore could be tried"
        return msgspec.structs.replace(result, uncompared=why)
    return msgspec.structs.replace(result, outputs="same" if seen.behaviour.same_output else "differ")


def path_result(outcome: Outcome, head: Signature, misplaced: Mapping[str, str]) -> PathResult:
    """What the reports show of an outcome."""
    counted = {variable.path for variable in head.variables if not variable.seed}
    restored, situation = counted & {*outcome.assigned, *outcome.converted}, None
    if outcome.situation not in (None, TRAINED):
        situation = Situation(*outcome.situation)
        # An optimizer's state is no part of the model there.
        counted = restored | set(outcome.initial)
    return PathResult(
        outcome=outcome.kind,
        restored=len(restored) if outcome.kind in ("restores", "partial") else 0,
        variables=len(counted),
        initial=outcome.initial,
        unused=outcome.unused,
        misplaced=tuple(misplaced),
        error=outcome.error,
        evidence="witnessed" if outcome.witnessed else "simulated",
        situation=situation,
    )


__all__ = ["Case", "Comparison", "judge", "path_result", "promised"]
