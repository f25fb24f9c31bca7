"""Regenerates manifests from the work tree; a break is never absorbed without a reason.

A manifest can be pinned to a checkpoint (`--from`): on the restore path of that file it then promises what the file
holds instead of what a build would write. Of the file that is what restores into the code of that moment; where it
does not restore completely, that needs a reason as any break does, and the values that are lost are no part of the
promise. On all other paths the promise stays the build's. `check` judges the head by the pinned file; `update`
keeps the pin when it regenerates the manifest, until another file takes its place, or until a break of what the
pin promises is accepted: from then on the promise is the build's again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from restore_guard import builds, check, environment, findings, judge, manifest, translation
from restore_guard import checkpoint as files
from restore_guard.checkpoint import Checkpoint
from restore_guard.comparison import Comparison, compare, never_written, troubles
from restore_guard.diffs import Diff
from restore_guard.errors import UsageError
from restore_guard.manifest import Accepted, Broken, Manifest, ManifestError
from restore_guard.repository import Repository
from restore_guard.restore_paths import Outcome
from restore_guard.result import Finding
from restore_guard.signature import Signature
from restore_guard.translation import below


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
    checkpoint: str | None = None,
    environ: Mapping[str, str],
    progress: Callable[[str], None] = lambda _: None,
) -> list[Updated]:
    """Builds from the work tree and writes manifests, each at once or not at all.

    Args:
        names: models; empty for all.
        reason: why a break is accepted; None refuses it.
        checkpoint: a file that the manifest of one model is pinned to.

    Raises:
        UsageError: wrong configuration, an unknown name, an empty reason, a checkpoint for several models.
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
    if checkpoint is not None and len(chosen) != 1:
        raise UsageError(f"--from pins one model: name the one that {checkpoint} is of.")
    worktree = repository.root / repository.project
    reading = [files.job("checkpoint", checkpoint, project.config.timeout)] if checkpoint is not None else []
    jobs = [check.job(project.config, name, f"model:{name}", worktree, worktree) for name in chosen]
    python = environment.find(project.config.python, worktree, environ)
    with builds.Probe(python.path, progress) as probe:
        done = probe.run([*jobs, *reading])
    file = files.read(done["checkpoint"], checkpoint) if checkpoint is not None else None
    head = repository.head()
    committed = repository.reader(head) if head is not None else lambda _: None
    return [_update(repository, project, committed, name, done[f"model:{name}"], reason, file) for name in chosen]


def _update(
    repository: Repository,
    project: check.Project,
    committed: Callable[[str], bytes | None],
    name: str,
    build: builds.Build,
    reason: str | None,
    checkpoint: Checkpoint | None,
) -> Updated:
    file = project.manifest_file(name)
    if build.signature is None:
        return Updated(name, "failed", f"could not be built: {build.failure}", detail=build.detail)
    promise, own = _promise(committed(file), file), project.manifest(name)
    own = own if isinstance(own, Manifest) else None
    promise = promise or own
    model = build.signature
    paths = judge.promised(project.config, name, None, model)
    comparisons = []
    if promise is not None:
        judged = judge.promised(project.config, name, promise, model)
        comparisons.append(compare(promise.signature, model, judged, Diff({})))
    kept = _kept_pins(promise, own)
    pins = {path: pin for path, pin in kept.items() if not troubles(compare(pin.saved, model, [path], Diff({})))}
    if checkpoint is not None:
        if (refused := _refusal(name, checkpoint)) is not None:
            return refused
        fresh = _pins(project, name, model, paths, checkpoint)
        pins |= fresh
        loads = [compare(pin.saved, below(model, pin.edge), [path], Diff({})) for path, pin in fresh.items()]
        if not all(outcome.certain for load in loads for outcome in load.outcomes.values()):
            return Updated(name, "failed", "a layer reads its variables by code of its own, which is not simulated")
        comparisons += loads
    epoch, history, breaks = _settle(project, name, promise, own, comparisons, reason)
    if history is None:
        lost = "old checkpoints would no longer restore"
        if checkpoint is not None:
            lost = f"{checkpoint.name} or what is promised already would not restore completely"
        return Updated(name, "refused", f"{lost}; the manifest stays as it is", breaks)
    signature, pinned = model, {}
    for path, pin in pins.items():
        held = translation.pin(signature, pin.saved, path, pin.edge)
        if held is not None:
            signature, pinned[path] = held, pin.name
    new = Manifest(name, paths, signature, epoch, history, pinned)
    written = manifest.write(repository.root / repository.project / file, new)
    count = sum(not variable.seed for variable in model.variables)
    message = f"{file} {'written' if written else 'is current'} ({count} variables)"
    message += "".join(f"; {path} is pinned to {held}" for path, held in pinned.items())
    message += "".join(f"; {path} is no longer pinned to {kept[path].name}" for path in kept.keys() - pinned.keys())
    if breaks:
        message += f"; a break was accepted, epoch {new.epoch}: {new.history[-1].reason}"
    elif reason is not None:
        message += "; nothing breaks, so the reason was not recorded"
    found = breaks + _unsaved(project, name, model, paths, promise)
    return Updated(name, "written" if written else "unchanged", message, found)


# --- pins ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pin:
    """A checkpoint on one restore path.

    Attributes:
        name: the file, as the manifest calls it.
        saved: what it holds, in the model's words.
        edge: the name under which it holds the model; see `translation.root_edge`.
    """

    name: str
    saved: Signature
    edge: str | None = None


def _kept_pins(promise: Manifest | None, own: Manifest | None) -> dict[str, _Pin]:
    """The pins that are there already: those of the work tree win, those that it has lost come from the commit."""
    return {
        path: _Pin(name, found.signature)
        for found in (promise, own)
        if found is not None
        for path, name in found.pinned.items()
    }


def _refusal(name: str, checkpoint: Checkpoint) -> Updated | None:
    """Why a file cannot be pinned at all."""
    if checkpoint.state == "unread":
        return Updated(name, "failed", f"{checkpoint.name} could not be read: {checkpoint.failure}")
    if checkpoint.damage:
        return Updated(name, "refused", f"{checkpoint.name} is damaged: {checkpoint.damage[0]}")
    if checkpoint.signature is None:
        return Updated(name, "refused", f"{checkpoint.name} holds nothing that restores")
    return None


def _pins(
    project: check.Project, name: str, model: Signature, paths: Sequence[str], checkpoint: Checkpoint
) -> dict[str, _Pin]:
    """The file on each restore path that it is of and that the model promises.

    Raises:
        UsageError: the model promises none of them.
    """
    mine = [path for path in checkpoint.restore_paths if path in paths and path in translation.FIELDS]
    if not mine:
        able = " or ".join(checkpoint.restore_paths) or "no path that is judged yet"
        raise UsageError(
            f"{checkpoint.name} is a {checkpoint.format}, which restores by {able}; {name} promises "
            f"{', '.join(paths)}: set restores in {project.file} to pin it."
        )
    edge = translation.root_edge(checkpoint.signature, model) if "tf-checkpoint" in mine else None
    return {
        path: _Pin(checkpoint.name, translation.in_words_of(below(model, edge), checkpoint.signature, path), edge)
        for path in mine
    }


def _promise(content: bytes | None, file: str) -> Manifest | None:
    """The committed manifest; an uncommitted one promises nothing to anybody yet."""
    try:
        return manifest.parse(content, file) if content is not None else None
    except ManifestError:
        return None


def _settle(
    project: check.Project,
    name: str,
    promise: Manifest | None,
    own: Manifest | None,
    comparisons: Sequence[Comparison],
    reason: str | None,
) -> tuple[int, tuple[Accepted, ...] | None, tuple[Finding, ...]]:
    """Returns (epoch, history, breaks); history is None where a break has no reason."""
    epoch, history = (promise.epoch, promise.history) if promise is not None else (1, ())
    pending = tuple(entry for entry in own.history if entry.epoch > epoch) if own else ()
    broken = [comparison for comparison in comparisons if troubles(comparison)]
    if not broken:
        # A checkpoint that was accepted and pinned restores from then on as far as it is promised.
        fresh = own is not None and promise is not None and own.pinned != promise.pinned
        return (own.epoch, own.history, ()) if fresh else (epoch, history, ())
    context = findings.Context(name, project.manifest_file(name), project.config, accepted=pending)
    breaks = tuple(finding for one in broken for finding in findings.find(one, context) if finding.restores)
    if reason is None:
        covered = pending and all(finding.status == "accepted" for finding in breaks)
        return (pending[-1].epoch, own.history, breaks) if covered else (epoch, None, breaks)
    lost = {path: _broken(outcome, one.misplaced(path)) for one in broken for path, outcome in one.outcomes.items()}
    entry = Accepted(
        epoch + 1, " ".join(reason.split()), {path: entry for path, entry in lost.items() if entry is not None}
    )
    accepted = tuple(msgspec.structs.replace(finding, status="accepted", fix="", accept="") for finding in breaks)
    return entry.epoch, (*history, entry), accepted


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
