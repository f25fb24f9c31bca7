"""The other direction: does code before the change load what the head saves? From manifests, nothing is built. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from restore_guard.change.diffs import Diff
from restore_guard.judging.case import Case, base_signature, paths_of, readable
from restore_guard.judging.comparison import Comparison, compare, troubles
from restore_guard.judging.findings import known_keys
from restore_guard.restore_paths import same_promise
from restore_guard.restore_paths.outcome import gist
from restore_guard.rules.shared.facts import Rollback
from restore_guard.signature import Signature


def rollbacks(case: Case, head: Signature) -> Iterator[Rollback]:
    """The base, and releases, that do not load what the head saves; none where nobody wants to know."""
    if case.config.rollback == "off":
        return
    before, promise = base_signature(case), readable(case.base_manifest)
    target = promise.signature if promise is not None else before
    if target is not None:
        restores = promise.restores if promise is not None else paths_of(case)
        yield from _onto("the code before this change", head, target, _paths(case, restores, target))
    for release in case.releases:
        older = release.promise.signature
        paths = _paths(case, release.promise.restores, older)
        known = frozenset(known_keys(compare(before, older, paths, Diff({})))) if before is not None else frozenset()
        yield from _onto(release.label, head, older, paths, known)


def _paths(case: Case, restores: Sequence[str], model: Signature) -> list[str]:
    """Those that are judged: what an old program makes of a new configuration, only running it tells."""
    return [path for path in restores if path in paths_of(case) and path not in model.load.revives]


def _onto(
    label: str,
    saved: Signature,
    model: Signature,
    paths: Sequence[str],
    known: frozenset[tuple[str, str, bool]] = frozenset(),
) -> Iterator[Rollback]:
    """What loading the checkpoints of `saved` into older code loses that is not lost without any change."""
    if not paths or same_promise(saved, model, paths):
        return
    compared = compare(saved, model, paths, Diff({}))
    found = [(comparison, trouble) for comparison in compared for trouble in troubles(comparison)]
    hopeless = {path for path, _, raises in known if raises}
    if found:
        yield Rollback(
            label,
            {trouble.path: _effect(comparison, trouble.path) for comparison, trouble in found},
            raises=any(comparison.outcomes[trouble.path].kind == "raises" for comparison, trouble in found),
            variables=tuple(dict.fromkeys(trouble.name for _, trouble in found)),
            # Where nothing could be loaded before either, what else would be lost is no news.
            known=all(trouble.key in known or trouble.path in hopeless for _, trouble in found),
        )


def _effect(comparison: Comparison, path: str) -> str:
    outcome = comparison.outcomes[path]
    if outcome.kind == "raises":
        return f"{path} raises: {gist(outcome.error or 'the load call raises')}"
    counts = {
        "initial value": len(outcome.initial),
        "dropped": len(outcome.unused),
        "in the wrong variable": len(comparison.misplaced(path)),
    }
    return f"{path} raises nothing: {', '.join(f'{count} {what}' for what, count in counts.items() if count)}"
