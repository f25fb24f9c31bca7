"""Regenerates manifests from the work tree; a break is never absorbed without a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from restore_guard import builds, check, environment, findings, judge, manifest
from restore_guard.comparison import compare, never_written, troubles
from restore_guard.diffs import Diff
from restore_guard.errors import UsageError
from restore_guard.manifest import Accepted, Broken, Manifest, ManifestError
from restore_guard.repository import Repository
from restore_guard.restore_paths import Outcome
from restore_guard.result import Finding
from restore_guard.signature import Signature


@dataclass(frozen=True)
class Updated:
    """What became of one manifest.

    Attributes:
        state: written, unchanged, refused (a break without a reason) or failed (no build).
        message: one sentence for a person.
        findings: the breaks that were refused or accepted, and what no path ever writes.
    """

    name: str
    state: str
    message: str
    findings: tuple[Finding, ...] = ()
    detail: str = ""


def update(
    repository: Repository,
    *,
    names: Sequence[str],
    reason: str | None,
    environ: Mapping[str, str],
    progress: Callable[[str], None] = lambda _: None,
) -> list[Updated]:
    """Builds from the work tree and writes manifests, each at once or not at all.

    Args:
        names: models; empty for all.
        reason: why a break is accepted; None refuses it.

    Raises:
        UsageError: wrong configuration, an unknown name, an empty reason.
        UncheckedError: no Python to build with.
    """
    if reason is not None and not reason.strip():
        raise UsageError("--accept-break needs a reason that the review shows.")
    project = check.load(repository, repository.worktree())
    chosen = list(names) or list(project.config.models)
    for name in chosen:
        if name not in project.config.models:
            raise UsageError(
                f"{name} is not a configured model; {project.file} configures {', '.join(project.config.models)}."
            )
    worktree = repository.root / repository.project
    python = environment.find(project.config.python, worktree, environ)
    jobs = [check.job(project.config, name, name, worktree, worktree) for name in chosen]
    with builds.Probe(python.path, progress) as probe:
        built = probe.run(jobs)
    head = repository.head()
    committed = repository.reader(head) if head is not None else lambda _: None
    return [_update(repository, project, committed, name, built[name], reason) for name in chosen]


def _update(
    repository: Repository,
    project: check.Project,
    committed: Callable[[str], bytes | None],
    name: str,
    build: builds.Build,
    reason: str | None,
) -> Updated:
    file = project.manifest_file(name)
    if build.signature is None:
        return Updated(name, "failed", f"could not be built: {build.failure}", detail=build.detail)
    promise, own = _promise(committed(file), file), project.manifest(name)
    own = own if isinstance(own, Manifest) else None
    promise = promise or own
    paths = judge.promised(project.config, name, None, build.signature)
    new = Manifest(name, paths, build.signature)
    found: tuple[Finding, ...] = _unsaved(project, name, build.signature, paths, promise)
    accepted = False
    if promise is not None:
        epoch, history, breaks = _settle(project, name, promise, own, build.signature, reason)
        if history is None:
            return Updated(
                name,
                "refused",
                "old checkpoints would no longer restore; the manifest stays as it is",
                breaks,
            )
        accepted, found = epoch > promise.epoch, breaks + found
        new = Manifest(name, paths, build.signature, epoch, history)
    written = manifest.write(repository.root / repository.project / file, new)
    count = sum(not variable.seed for variable in build.signature.variables)
    message = f"{file} {'written' if written else 'is current'} ({count} variables)"
    if accepted:
        message += f"; a break was accepted, epoch {new.epoch}: {new.history[-1].reason}"
    elif reason is not None:
        message += "; nothing breaks, so the reason was not recorded"
    return Updated(name, "written" if written else "unchanged", message, found)


def _promise(content: bytes | None, file: str) -> Manifest | None:
    """The committed manifest; an uncommitted one promises nothing to anybody yet."""
    try:
        return manifest.parse(content, file) if content is not None else None
    except ManifestError:
        return None


def _settle(
    project: check.Project,
    name: str,
    promise: Manifest,
    own: Manifest | None,
    signature: Signature,
    reason: str | None,
) -> tuple[int, tuple[Accepted, ...] | None, tuple[Finding, ...]]:
    """Returns (epoch, history, breaks); history is None where a break has no reason."""
    paths = judge.promised(project.config, name, promise, signature)
    comparison = compare(promise.signature, signature, paths, Diff({}))
    if not troubles(comparison):
        return promise.epoch, promise.history, ()
    pending = tuple(entry for entry in own.history if entry.epoch > promise.epoch) if own else ()
    context = findings.Context(name, project.manifest_file(name), project.config, accepted=pending)
    breaks = tuple(finding for finding in findings.find(comparison, context) if finding.restores)
    if reason is None:
        covered = pending and all(finding.status == "accepted" for finding in breaks)
        return (pending[-1].epoch, own.history, breaks) if covered else (promise.epoch, None, breaks)
    broken = {path: _broken(outcome, comparison.misplaced(path)) for path, outcome in comparison.outcomes.items()}
    broken = {path: entry for path, entry in broken.items() if entry is not None}
    entry = Accepted(promise.epoch + 1, " ".join(reason.split()), broken)
    accepted = tuple(msgspec.structs.replace(finding, status="accepted", fix="", accept="") for finding in breaks)
    return entry.epoch, (*promise.history, entry), accepted


def _broken(outcome: Outcome, misplaced: Mapping[str, str]) -> Broken | None:
    """What the history keeps of an outcome; None where nothing is broken."""
    if outcome.kind == "raises":
        error = (outcome.error or "").splitlines()
        return Broken(outcome.kind, error=error[0] if error else None)
    if outcome.kind == "unsupported" or not (outcome.initial or outcome.unused or misplaced):
        return None
    return Broken(outcome.kind, outcome.initial, outcome.unused, tuple(misplaced))


def _unsaved(
    project: check.Project, name: str, signature: Signature, paths: Sequence[str], promise: Manifest | None
) -> tuple[Finding, ...]:
    """What no checkpoint will ever hold is said once, when the manifest is first made."""
    if promise is not None:
        return ()
    context = findings.Context(name, project.manifest_file(name), project.config)
    unsaved = {path: never_written(path, signature) for path in paths}
    return tuple(findings.never_saved(signature, unsaved, context))
