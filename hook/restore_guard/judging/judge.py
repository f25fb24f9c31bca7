"""The verdict on one model: what its builds, manifests and history say together. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

import msgspec
from msgspec.structs import replace

from restore_guard import rules
from restore_guard.build import Witness
from restore_guard.change.diffs import Diff, Place
from restore_guard.judging import edited, findings, notes
from restore_guard.judging.about_manifest import about_manifest, accepted_breaks, manifest_state
from restore_guard.judging.case import (
    Case,
    base_signature,
    behaviour_of,
    paths_of,
    promised_inputs,
    readable,
    saved_signature,
    with_sites,
)
from restore_guard.judging.comparison import Comparison, compare, unchanged
from restore_guard.judging.draws import certain, drawn
from restore_guard.judging.evidence import outranked
from restore_guard.judging.loading import Loading, loadings
from restore_guard.judging.migrated import carries, outcomes, with_migrations
from restore_guard.judging.results import path_result, with_outputs
from restore_guard.judging.rollback import rollbacks
from restore_guard.judging.table import fresh, table
from restore_guard.promise.manifest import Accepted, Manifest, ManifestError, since
from restore_guard.restore_paths import restore, same_promise
from restore_guard.result import Finding, ManifestState, Migrated, ModelResult, PathResult, Verdict
from restore_guard.rules.shared import words
from restore_guard.rules.shared.facts import Draw, Facts
from restore_guard.signature import Signature

Known = Collection[tuple[str, str, bool]]
"""Keys of the troubles that the base already has."""


class _Compared(msgspec.Struct, frozen=True, dict=True):
    """A case, and what its builds, manifests and real restores show of each restore path.

    Attributes:
        head: what today's code builds.
        base: what the base's code builds, as far as it does.
        saved: what old checkpoints hold; None where there are none.
        comparisons: `saved` in `head`, with what was really seen in place of what was simulated.
        disagreements: where the two disagreed, and what could not be tried, in words.
        migrations: {restore path: what becomes of a checkpoint that is migrated}.
        draw: how two builds of the head differ; None where they are alike.
        loadings: what becomes of its checkpoints in other models.
    """

    case: Case
    head: Signature
    base: Signature | None
    saved: Signature | None
    comparisons: Sequence[Comparison]
    disagreements: Sequence[str]
    migrations: Mapping[str, Migrated]
    draw: Draw | None
    loadings: Sequence[Loading]

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The restore paths that are judged."""
        return paths_of(self.case)

    @cached_property
    def doubtful(self) -> list[str]:
        """The restore paths whose outcome cannot be known."""
        return [path for comparison in self.comparisons for path in _doubtful(self.case, comparison)]

    @property
    def is_unproved(self) -> bool:
        """Whether a real restore was demanded and not seen by every path."""
        return self.case.must_be_witnessed and not _is_witnessed(self.case, self.comparisons)

    @property
    def is_unchecked(self) -> bool:
        """Whether something that decides the verdict could not be judged."""
        contradicted = any(outcome.contradicted for one in self.comparisons for outcome in one.outcomes.values())
        lost = _is_promise_lost(self.case, self.saved)
        elsewhere = any(loading.unchecked for loading in self.loadings)
        unread = bool(self.case.unread_releases or edited.untold(self.case))
        unsure = bool(self.doubtful) or contradicted or lost or self.is_state_untold or unread or elsewhere
        return unsure or self.is_unproved or self.is_empty

    @property
    def is_state_untold(self) -> bool:
        """Whether values that are no variable are lost, as the manifest does not say yet."""
        return bool(self.state_lost) and not self.is_state_told

    @property
    def is_empty(self) -> bool:
        """Whether the model has nothing that a checkpoint could hold, so that nothing is compared."""
        tree = self.head.keras_tree
        states = any(node.state for node in self.head.object_graph.nodes)
        vocabularies = any(node.vocabulary for node in (tree.nodes if tree is not None else ()))
        return not (self.head.variables or states or vocabularies)

    @property
    def state_lost(self) -> dict[str, tuple[str, ...]]:
        """{restore path: what its checkpoints hold of what is no variable, and no object of the model takes}."""
        return {path: of.lost for one in self.comparisons for path, of in one.outcomes.items() if of.lost}

    @property
    def is_state_told(self) -> bool:
        """Whether the head's manifest was renewed since: `update` says what is lost."""
        manifest = readable(self.case.head_manifest)
        if manifest is None or self.saved is None:
            return False
        saved, now = self.saved, manifest.signature
        return all(restore(path, saved, now).lost == lost for path, lost in self.state_lost.items())


def judge(case: Case) -> ModelResult:
    """Returns the verdict on a model that a change may have touched."""
    head = case.head_build.signature
    if head is None:
        return _unbuilt(case)
    compared = _compared(case, head)
    found = _findings(compared)
    return ModelResult(
        name=case.name,
        verdict=_verdict(compared, found),
        variables=head.count,
        manifest=manifest_state(case, head),
        restores=_results(compared),
        behaviour=behaviour_of(case),
        findings=tuple(finding for finding in found if finding.level != "off"),
        notes=(*notes.of_builds(case), *_doubts(compared)),
        table=table(compared.comparisons) if compared.saved is not None else fresh(head),
    )


def _compared(case: Case, head: Signature) -> _Compared:
    promise, base, paths = readable(case.base_manifest), base_signature(case), paths_of(case)
    saved = saved_signature(promise, base, paths)
    comparisons = compare(saved, head, paths, case.diff, case.head_revivals) if saved else []
    disagreements: list[str] = []
    if case.witness is not None:
        comparisons, disagreements = _outranked(comparisons, case.witness)
    migrations = outcomes(case, saved, head) if saved is not None else {}
    into = list(loadings(case, _across(migrations)))
    return _Compared(case, head, base, saved, comparisons, disagreements, migrations, drawn(case), into)


def _findings(compared: _Compared) -> list[Finding]:
    """All findings, those of a rule that is off too: of variables, of releases, of the model and of its manifest."""
    case = compared.case
    found = _of_variables(compared)
    found += _of_releases(compared, found)
    found += [finding for loading in compared.loadings for finding in loading.findings]
    found += rules.about(_facts(compared, found))
    found = findings.ignoring(found, _context(case))
    draw = compared.draw
    breaks = any(finding.fails for finding in found) or (draw is not None and bool(draw.decides))
    about = with_migrations(case, compared.saved, compared.head, about_manifest(case, compared.head, breaks))
    return found + findings.ignoring(rules.about(about), _context(case))


def _of_variables(compared: _Compared) -> list[Finding]:
    """The findings about what old checkpoints hold."""
    case, saved = compared.case, compared.saved
    if saved is None:
        return []
    across = _across(compared.migrations)
    context = replace(_context(case, _known(compared), accepted_breaks(case)), migrated=across)
    if compared.draw is not None and case.second is not None:
        context = replace(context, certain=certain(case, case.second, saved, compared.comparisons))
    return findings.findings_of(compared.comparisons, context)


def _across(migrations: Mapping[str, Migrated]) -> frozenset[str]:
    """The restore paths by which a migrated checkpoint restores."""
    return frozenset(path for path, migrated in migrations.items() if migrated.outcome == "restores")


def _verdict(compared: _Compared, found: Sequence[Finding]) -> Verdict:
    failed = {finding.rule for finding in found if finding.fails}
    # A stale manifest is no verdict on values that nothing takes.
    if failed and not (failed == {"manifest-stale"} and compared.is_state_untold):
        return "breaks"
    if compared.is_unchecked or any(finding.unchecked and finding.level != "off" for finding in found):
        return "unchecked"
    return "restores"


def _results(compared: _Compared) -> dict[str, PathResult]:
    """{restore path: what the reports show of it}."""
    case, head = compared.case, compared.head
    if compared.saved is None:
        return {path: path_result(unchanged(path, head), head, {}) for path in compared.paths}
    results = {
        path: with_outputs(case, path, path_result(outcome, comparison.model, comparison.misplaced(path)))
        for comparison in compared.comparisons
        for path, outcome in comparison.outcomes.items()
    }
    migrations = compared.migrations
    doubtful = compared.doubtful
    return {
        path: msgspec.structs.replace(results[path], migration=migrations.get(path), certain=path not in doubtful)
        for path in compared.paths
    }


def _doubts(compared: _Compared) -> list[str]:
    """Why the verdict is not certain, in words, and what else was not judged."""
    case, head, doubtful = compared.case, compared.head, compared.doubtful
    told = [*map(words.not_really_tried, case.untried), *compared.disagreements]
    if compared.saved is None and case.base_build is None:
        told.append("New here: there is no older checkpoint to restore.")
    told += [f"{path} cannot be judged: {head.unread[path]}." for path in doubtful if path in head.unread]
    unfamiliar = {path: why for path in doubtful for why in _unfamiliar(compared, path)}
    told += [f"{path} is simulated, and {why}. {_WAY_OUT}" for path, why in unfamiliar.items()]
    if custom := [path for path in doubtful if path not in {*head.unread, *unfamiliar}]:
        told.append(
            f"{', '.join(custom)}: a layer saves or loads its variables by code of its own, which is not simulated, "
            f"so the outcome is not certain: {_ONLY_A_WITNESS}"
        )
    if compared.is_empty:
        told.append(_EMPTY)
    told += [words.state_lost(path, lost) for path, lost in compared.state_lost.items()]
    told += [note for loading in compared.loadings for note in loading.notes]
    told += [*case.unread_releases, *edited.untold(case), *edited.simulated(case)]
    told += notes.other_moves(case)
    told += notes.installed_otherwise(case, head)
    if compared.is_unproved and not case.untried:
        told.append("No real restore was seen by every path, which --witness always asks for.")
    return told


def _unfamiliar(compared: _Compared, path: str) -> list[str]:
    """Whose loading code is not known."""
    sides = [compared.head, *([compared.saved] if compared.saved is not None else [])]
    return [side.unfamiliar[path] for side in sides if path in side.unfamiliar]


_ONLY_A_WITNESS = "only a witness can tell (--witness always)."
_EMPTY = (
    "The model has no variables, so nothing was compared. Where they come with its first call, configure inputs, or "
    "call it in the builder; a model that never has any needs no guard: remove it from the configuration."
)
_WAY_OUT = (
    "A real save and restore decides: `restore-guard check --witness always`; for the hook and the Action, `witness` "
    "in the configuration above the model's number of parameters. A newer restore-guard may know this version."
)


def _is_promise_lost(case: Case, saved: Signature | None) -> bool:
    """Whether there is a base of which what was promised cannot be read, or nothing at all could be judged."""
    return isinstance(case.base_manifest, ManifestError) or (saved is None and case.base_build is not None)


def _outranked(compared: Sequence[Comparison], witness: Witness) -> tuple[list[Comparison], list[str]]:
    both = [outranked(comparison, witness) for comparison in compared]
    return [comparison for comparison, _ in both], [note for _, told in both for note in told]


def _of_releases(compared: _Compared, found: Sequence[Finding]) -> list[Finding]:
    """What restores step by step need not restore end to end: each release's promise against the head.

    A release of the promise that was compared with the head already needs no second verdict.
    """
    case, saved = compared.case, compared.saved
    told = {(finding.rule, finding.old, finding.new) for finding in found}
    findings_of: list[Finding] = []
    for release in case.releases:
        promise = release.promise
        alike = {*promise.restores} <= {*compared.paths}
        if saved and alike and same_promise(promise.signature, saved, promise.restores):
            continue
        for finding in _of_release(compared, promise):
            key = finding.rule, finding.old, finding.new
            if finding.restores and key not in told:
                told.add(key)
                message = f"Checkpoints of {release.label}: {finding.message}"
                findings_of.append(msgspec.structs.replace(finding, message=message))
    return findings_of


def _of_release(compared: _Compared, promise: Manifest) -> list[Finding]:
    """What a release's promise loses in the head; what the base lost of it already is not new."""
    case, head, base = compared.case, compared.head, compared.base
    released = with_sites(promise.signature, base)
    known: Known = frozenset()
    if base is not None:
        known = findings.known_keys(compare(promise.signature, base, promise.restores, Diff({}), case.base_revivals))
    current = readable(case.head_manifest)
    accepted = since(promise, current.history) if current else ()
    migrated = promise.restores if carries(case, promise, head) else ()
    context = replace(_context(case, known, accepted), migrated=migrated)
    return findings.findings_of(compare(released, head, promise.restores, case.diff, case.head_revivals), context)


def _context(case: Case, known: Known = frozenset(), accepted: Sequence[Accepted] = ()) -> findings.Context:
    return findings.Context(case.name, case.manifest_file, case.config, known, accepted, behaviour_of(case))


def _facts(compared: _Compared, found: Sequence[Finding]) -> Facts:
    case = compared.case
    return Facts(
        case.name,
        case.manifest_file,
        case.config,
        head=compared.head,
        base=compared.base,
        promised=promised_inputs(case),
        moves=case.moves,
        apart=case.apart,
        why_shared=case.why_shared,
        comparison=compared.comparisons[0] if compared.comparisons else None,
        witness=case.witness,
        explained={path for finding in found for path in finding.restores},
        draw=compared.draw,
        rollbacks=tuple(rollbacks(case, compared.head)),
    )


def _doubtful(case: Case, comparison: Comparison) -> list[str]:
    """The restore paths whose outcome cannot be known: the model changed, and code that is not simulated decides."""
    if case.is_unchanged and same_promise(comparison.saved, comparison.model, comparison.outcomes):
        return []
    return [path for path, outcome in comparison.outcomes.items() if not outcome.certain and not outcome.contradicted]


def _unbuilt(case: Case) -> ModelResult:
    state: ManifestState = (
        "missing"
        if case.head_manifest is None
        else "stale"
        if isinstance(case.head_manifest, ManifestError)
        else "current"
    )
    build = case.head_build
    at = Place(*build.at) if build.at is not None else None
    failed = rules.about(
        Facts(case.name, case.manifest_file, case.config, failure=build.failure, detail=build.detail, failed_at=at)
    )
    about = rules.about(about_manifest(case, None, breaks=False))
    return ModelResult(
        name=case.name,
        verdict="breaks" if any(other.fails for other in about) else "unchecked",
        manifest=state,
        findings=tuple(finding for finding in (*failed, *about) if finding.level != "off"),
    )


def _known(compared: _Compared) -> Known:
    """What the base's own code already loses of what its manifest promises."""
    case, base, paths = compared.case, compared.base, compared.paths
    promise = readable(case.base_manifest)
    if promise is None or base is None or saved_signature(promise, base, paths) is base:
        return frozenset()
    return findings.known_keys(compare(promise.signature, base, paths, Diff({}), case.base_revivals))


def _is_witnessed(case: Case, compared: Sequence[Comparison]) -> bool:
    """Whether a real restore was seen by every path that there are checkpoints of."""
    if case.witness is None or case.untried:
        return False
    outcomes = [outcome for comparison in compared for outcome in comparison.outcomes.values()]
    return all(outcome.witnessed for outcome in outcomes if outcome.kind != "unsupported")
