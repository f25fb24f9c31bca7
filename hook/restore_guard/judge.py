"""The verdict on one model: what its builds, manifests and history say together. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from restore_guard import findings, witnesses
from restore_guard.builds import Build
from restore_guard.comparison import Comparison, compare
from restore_guard.config import Config
from restore_guard.diffs import Diff
from restore_guard.environments import lockfiles
from restore_guard.environments.lockfiles import Move
from restore_guard.manifest import Accepted, Found, Manifest, ManifestError
from restore_guard.releases import Release
from restore_guard.restore_paths import Outcome, default_paths, restore_unchanged, same_promise
from restore_guard.result import Finding, ModelResult, PathResult
from restore_guard.rules import RULES, level
from restore_guard.signature import Revival, Signature
from restore_guard.translation import unpinned
from restore_guard.witnesses import Witness


@dataclass(frozen=True)
class Case:
    """All that is known of one model.

    Attributes:
        manifest_file: its manifest, relative to the project.
        base_build: None where the base was not built, because there is none or it has no such model.
        covered: files whose change would be noticed even if the manifest does not list them.
        head_revivals, base_revivals: {saved configuration: what that side's code makes of it}.
        witness: what really saving the base and restoring it into the head showed; None where it was not tried.
        moves: packages that the change asks for in another version.
        must_be_witnessed: a path that could not be really tried counts as unchecked.
        releases: what releases that are still in service promised; `unread_releases` says what cannot be read.
    """

    name: str
    config: Config
    manifest_file: str
    head_build: Build
    base_build: Build | None
    head_manifest: Found
    base_manifest: Found
    diff: Diff
    covered: frozenset[str] = frozenset()
    head_revivals: Mapping[str, Revival] = field(default_factory=dict)
    base_revivals: Mapping[str, Revival] = field(default_factory=dict)
    witness: Witness | None = None
    must_be_witnessed: bool = False
    releases: tuple[Release, ...] = ()
    unread_releases: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()

    @property
    def old_signatures(self) -> list[Signature]:
        """All that old checkpoints may be of."""
        promise, base = _manifest(self.base_manifest), _base_signature(self)
        known = [
            promise.signature if promise else None,
            base,
            *(release.promise.signature for release in self.releases),
        ]
        return [signature for signature in known if signature is not None]


def obstacle(case: Case) -> str | None:
    """Why no real checkpoint of the base can be made and restored into the head; None where nothing is in the way."""
    base, head = _base_signature(case), case.head_build.signature
    if base is None or head is None:
        return "there are no two builds"
    if saved_signature(_manifest(case.base_manifest), base, paths_of(case)) is not base:
        return "the base's code does not build what its manifest promises"
    return None


def is_worth_a_witness(case: Case) -> bool:
    """Whether something changed that a witness can tell more of, in a model that is small enough to be tried."""
    base, head = _base_signature(case), case.head_build.signature
    changed = not case.diff.is_cosmetic or base.without_sites() != head.without_sites()
    return changed and max(map(witnesses.parameters, (base, head))) <= case.config.witness


def paths_of(case: Case) -> tuple[str, ...]:
    """The restore paths that are judged."""
    return promised(case.config, case.name, _manifest(case.base_manifest), case.head_build.signature)


def judge(case: Case) -> ModelResult:
    """Returns the verdict on a model that a change may have touched."""
    head = case.head_build.signature
    if head is None:
        return _unbuilt(case)
    notes = _notes(case)
    promise, base = _manifest(case.base_manifest), _base_signature(case)
    paths = paths_of(case)
    saved = saved_signature(promise, base, paths)
    compared = compare(saved, head, paths, case.diff, case.head_revivals) if saved else []
    if case.witness is not None:
        compared, disagreements = _outranked(compared, case.witness)
        notes += disagreements
    accepted = _accepted(case)
    found: list[Finding] = []
    if saved is not None:
        known = _known(case, promise, base, paths)
        context = _context(case, known, accepted)
        found = findings.find(compared, context)
    else:
        notes.append("New here: there is no older checkpoint to restore.")
    found += _of_releases(case, head, base, saved, found)
    found = _with_behaviour(case, found, compared)
    doubtful = [path for comparison in compared for path in _doubtful(case, comparison)]
    if doubtful:
        notes.append(
            f"{', '.join(doubtful)}: a layer saves or loads its variables by code of its own, which is not simulated, "
            "so the outcome is not certain: only a witness can tell (--witness always)."
        )
    notes += case.unread_releases
    frameworks = _framework_changed(case, head, base)
    found += frameworks
    not_built = bool(frameworks) and case.config.environment == "shared"
    notes += _other_moves(case)
    unproved = case.must_be_witnessed and (case.witness is None or case.witness.failures)
    state = _state(case, head)
    found += [_break_accepted(case, entry) for entry in accepted]
    found = findings.ignoring(found, _context(case))
    breaks = any(finding.fails for finding in found)
    found += findings.ignoring(_about_manifest(case, head, state, breaks), _context(case))
    results = {
        path: path_result(outcome, comparison.model, comparison.misplaced(path))
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
        if doubtful or case.unread_releases or unproved or not_built
        else "restores",
        variables=sum(not variable.seed for variable in head.variables),
        manifest=state,
        restores={path: results[path] for path in paths},
        behaviour=case.witness.behaviour if case.witness is not None else None,
        findings=tuple(finding for finding in found if finding.level != "off"),
        notes=tuple(notes),
    )


def _outranked(compared: Sequence[Comparison], witness: Witness) -> tuple[list[Comparison], list[str]]:
    both = [witnesses.outranked(comparison, witness) for comparison in compared]
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
    current = _manifest(case.head_manifest)
    findings_of: list[Finding] = []
    for release in case.releases:
        promise = release.promise
        if saved and {*promise.restores} <= {*paths} and same_promise(promise.signature, saved, promise.restores):
            continue
        released = _with_sites(promise.signature, base)
        compared = compare(released, head, promise.restores, case.diff, case.head_revivals)
        known = (
            findings.known_keys(compare(promise.signature, base, promise.restores, Diff({}), case.base_revivals))
            if base is not None
            else frozenset()
        )
        accepted = tuple(entry for entry in current.history if entry.epoch > promise.epoch) if current else ()
        context = _context(case, known, accepted)
        for finding in findings.find(compared, context):
            key = finding.rule, finding.old, finding.new
            if finding.restores and key not in told:
                told.add(key)
                message = f"Checkpoints of {release.label}: {finding.message}"
                findings_of.append(msgspec.structs.replace(finding, message=message))
    return findings_of


def _framework_changed(case: Case, head: Signature, base: Signature | None) -> list[Finding]:
    """The same code restores otherwise by another TensorFlow or Keras: judged where each side has its own."""
    moved = [move for move in case.moves if lockfiles.is_framework(move.package)]
    if case.config.environment == "shared":
        built = ", ".join(f"{name} {version}" for name, version in head.framework.items() if name != "python")
        told = ", ".join(map(str, moved))
        message = (
            f"{told}: what this does to checkpoints was not judged, as both sides were built by {built}. "
            'Set environment = "per-commit" to build each side in the environment of its own lock file.'
        )
    else:
        before = base.framework if base is not None else head.framework
        differing = [name for name in head.framework if before.get(name) != head.framework[name] and name != "python"]
        told = ", ".join(f"{name} {before.get(name, '(none)')} → {head.framework[name]}" for name in differing)
        message = f"{told}: each side was built, saved and restored by its own; the outcomes say what follows."
    chosen = level("framework-changed", case.config)
    if not told or chosen == "off":
        return []
    at = moved[0] if moved else None
    return [
        Finding(
            rule="framework-changed",
            level=chosen,
            file=at.file if at else case.manifest_file,
            line=at.line if at else 0,
            message=message,
            old=", ".join(f"{move.package} {move.old}" for move in moved) or None,
            new=", ".join(f"{move.package} {move.new}" for move in moved) or None,
            fix=RULES["framework-changed"].fix,
        )
    ]


def _other_moves(case: Case) -> list[str]:
    others = [str(move) for move in case.moves if not lockfiles.is_framework(move.package)]
    if not others or case.config.environment != "shared":
        return []
    shown = ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
    return [f"Built with the packages that are installed now: what {shown} changes was not judged."]


def _with_behaviour(case: Case, found: list[Finding], compared: Sequence[Comparison]) -> list[Finding]:
    """Equal outputs silence a layer of another type; other outputs are told where everything restores."""
    behaviour = case.witness.behaviour if case.witness is not None else None
    if behaviour is None:
        return found
    if behaviour.same_output:
        return [finding for finding in found if finding.rule != "layer-type-changed" or finding.restores]
    if not any(finding.restores for finding in found):
        found = [*found, findings.behaviour_changed(behaviour, compared[0], _context(case))]
    return found


def _context(
    case: Case, known: Collection[tuple[str, str, bool]] = frozenset(), accepted: Sequence[Accepted] = ()
) -> findings.Context:
    return findings.Context(case.name, case.manifest_file, case.config, known, accepted)


def _doubtful(case: Case, comparison: Comparison) -> list[str]:
    """The restore paths whose outcome cannot be known: the model changed, and code that is not simulated decides."""
    if case.diff.is_cosmetic and same_promise(comparison.saved, comparison.model, comparison.outcomes):
        return []
    return [path for path, outcome in comparison.outcomes.items() if not outcome.certain]


def promised(config: Config, name: str, promise: Manifest | None, head: Signature) -> tuple[str, ...]:
    """The restore paths to judge: those configured, and those that the base's manifest still promises."""
    model = config.models.get(name)
    chosen = model.restores if model is not None and model.restores else default_paths(head)
    return tuple(dict.fromkeys([*chosen, *(promise.restores if promise else ())]))


def _unbuilt(case: Case) -> ModelResult:
    build = case.head_build
    finding = Finding(
        rule="build-failed",
        level=level("build-failed", case.config),
        file=case.manifest_file,
        line=0,
        message=f"The model could not be built, so it was not checked: {build.failure}",
        effects=tuple(build.detail.strip().splitlines()[-12:]),
        fix=RULES["build-failed"].fix,
    )
    state = (
        "missing"
        if case.head_manifest is None
        else "stale"
        if isinstance(case.head_manifest, ManifestError)
        else "current"
    )
    about = _about_manifest(case, None, state, False)
    return ModelResult(
        name=case.name,
        verdict="breaks" if any(other.fails for other in about) else "unchecked",
        manifest=state,
        findings=(finding, *about),
    )


def _notes(case: Case) -> list[str]:
    notes = []
    if case.head_build.strategy == "eager":
        why = (case.head_build.because or "it cannot do without").splitlines()[0]
        notes.append(f"Built with all its weights in memory, because a build without them failed: {why}")
    if case.base_build is not None and case.base_build.signature is None:
        judged = "its manifest" if _manifest(case.base_manifest) else "nothing"
        notes.append(f"The base no longer builds, so it is judged by {judged}: {case.base_build.failure}")
    if isinstance(case.base_manifest, ManifestError):
        notes.append(f"The base's manifest cannot be read, so the base's build stands in for it: {case.base_manifest}")
    elif case.base_manifest is None and case.base_build is not None:
        notes.append("The base has no manifest, so its build stands in for it.")
    promise = _manifest(case.base_manifest)
    if promise is not None:
        notes += [f"{path}: judged by {name}, which the manifest pins." for path, name in promise.pinned.items()]
    return notes


def _manifest(found: Found) -> Manifest | None:
    return found if isinstance(found, Manifest) else None


def _base_signature(case: Case) -> Signature | None:
    return case.base_build.signature if case.base_build is not None else None


def saved_signature(promise: Manifest | None, base: Signature | None, paths: Sequence[str]) -> Signature | None:
    """What old checkpoints hold: the base's build where it is what the manifest promises, for it knows the lines."""
    if promise is None:
        return base
    # A path that is promised from now on is nothing that the manifest could tell of.
    if base is not None and same_promise(promise.signature, base, [path for path in paths if path in promise.restores]):
        return base
    return _with_sites(promise.signature, base)


def _with_sites(signature: Signature, build: Signature | None) -> Signature:
    """The manifest keeps no lines; the base's build knows them, by path."""
    if build is None:
        return signature

    def located(kind: str) -> tuple:
        sites = {item.path: item.site for item in getattr(build, kind)}
        return tuple(msgspec.structs.replace(item, site=sites.get(item.path)) for item in getattr(signature, kind))

    return msgspec.structs.replace(signature, variables=located("variables"), holders=located("holders"))


def _known(
    case: Case, promise: Manifest | None, base: Signature | None, paths: Sequence[str]
) -> frozenset[tuple[str, str, bool]]:
    if promise is None or base is None or saved_signature(promise, base, paths) is base:
        return frozenset()
    return findings.known_keys(compare(promise.signature, base, paths, Diff({}), case.base_revivals))


def _accepted(case: Case) -> tuple[Accepted, ...]:
    head, base = _manifest(case.head_manifest), _manifest(case.base_manifest)
    if head is None or base is None:
        return ()
    return tuple(entry for entry in head.history if entry.epoch > base.epoch)


def _break_accepted(case: Case, entry: Accepted) -> Finding:
    return Finding(
        rule="break-accepted",
        level=level("break-accepted", case.config),
        file=case.manifest_file,
        line=0,
        message=f"A break was accepted (epoch {entry.epoch}): {entry.reason}",
        restores=tuple(entry.broken),
        status="accepted",
    )


def _state(case: Case, head: Signature) -> str:
    manifest = _manifest(case.head_manifest)
    if case.head_manifest is None:
        return "missing"
    return "stale" if manifest is None or _staleness(case, manifest, head) else "current"


def _staleness(case: Case, manifest: Manifest, head: Signature) -> str | None:
    """What a manifest of the head says otherwise than the head's build; None where it is current."""
    configured = promised(case.config, case.name, None, head)
    if not _describes(manifest, head, configured):
        return "The manifest does not describe the model that the code builds"
    if unnoticed := sorted(set(head.sources) - set(manifest.signature.sources) - case.covered):
        return f"The build also reads {', '.join(unnoticed[:3])}, which the manifest does not list"
    if _unpinned(case):
        return f"The manifest is no longer pinned to a checkpoint for {', '.join(_unpinned(case))}"
    if set(manifest.restores) != set(configured):
        return "The manifest promises other restore paths than the configuration"
    return None


def _describes(manifest: Manifest, head: Signature, paths: Sequence[str]) -> bool:
    """Whether a manifest is of this build; on a pinned path it is of a checkpoint, which only has to restore."""
    return same_promise(manifest.signature, head, unpinned(paths, manifest.pinned))


def _unpinned(case: Case) -> list[str]:
    """The pins of the base's manifest that the head's has lost with no accepted break to say so."""
    head, base = _manifest(case.head_manifest), _manifest(case.base_manifest)
    accepted = {path for entry in _accepted(case) for path in entry.broken}
    return [path for path in (base.pinned if base else ()) if path not in head.pinned and path not in accepted]


def _about_manifest(case: Case, head: Signature | None, state: str, breaks: bool) -> list[Finding]:
    if isinstance(case.head_manifest, ManifestError):
        error = case.head_manifest
        return [
            _manifest_finding(case, "manifest-invalid", f"The manifest cannot be read: {error.message}", error.line)
        ]
    if state == "missing":
        message = (
            f"{case.name} has no manifest: run `restore-guard update {case.name}` and commit {case.manifest_file}."
        )
        known = case.base_manifest is None and case.base_build is not None
        return [_manifest_finding(case, "manifest-missing", message, 0, "pre-existing" if known else "new")]
    if head is None or state != "stale" or breaks:
        # While something breaks, regenerating the manifest would be the wrong thing to do first.
        return []
    what = _staleness(case, _manifest(case.head_manifest), head)
    message = f"{what}: run `restore-guard update {case.name}` and commit {case.manifest_file}."
    return [_manifest_finding(case, "manifest-stale", message, 0)]


def _manifest_finding(case: Case, rule: str, message: str, line: int, status: str = "new") -> Finding:
    return Finding(
        rule=rule,
        level=level(rule, case.config),
        file=case.manifest_file,
        line=line,
        message=message,
        status=status,
        fix=RULES[rule].fix,
    )


def path_result(outcome: Outcome, head: Signature, misplaced: Mapping[str, str]) -> PathResult:
    """What the reports show of an outcome."""
    counted = {variable.path for variable in head.variables if not variable.seed}
    return PathResult(
        outcome=outcome.kind,
        restored=len(counted & set(outcome.assigned)) if outcome.kind in ("restores", "partial") else 0,
        variables=len(counted),
        initial=outcome.initial,
        unused=outcome.unused,
        misplaced=tuple(misplaced),
        error=outcome.error,
        evidence="witnessed" if outcome.witnessed else "simulated",
    )


__all__ = ["Case", "Comparison", "judge", "path_result", "promised"]
