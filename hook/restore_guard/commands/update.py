"""Regenerates manifests from the work tree; a break is never absorbed without a reason.

A manifest can be pinned to a checkpoint (`--from`): on the restore path of that file it then promises what the file
holds instead of what a build would write. Of the file that is what restores into the code of that moment; where it
does not restore completely, that needs a reason as any break does, and the values that are lost are no part of the
promise. On all other paths the promise stays the build's. `check` judges the head by the pinned file; `update`
keeps the pin when it regenerates the manifest, until another file takes its place, or until a break of what the
pin promises is accepted: from then on the promise is the build's again.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from restore_guard.build import Build
from restore_guard.building import checkpoint as files
from restore_guard.building import revivals
from restore_guard.building.checkpoint import Checkpoint
from restore_guard.building.workshop import Order, Workshop, choose_pythons
from restore_guard.change import merges
from restore_guard.change.merges import Joined
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.states import Side
from restore_guard.commands import pinning
from restore_guard.commands.proposing import proposals
from restore_guard.commands.settling import Promises, settle
from restore_guard.commands.unchanged import unlike
from restore_guard.errors import UsageError
from restore_guard.judging import findings
from restore_guard.judging.case import promised
from restore_guard.judging.comparison import never_written
from restore_guard.judging.proposal import Proposal
from restore_guard.promise import manifest, releases
from restore_guard.promise.files import write
from restore_guard.promise.manifest import Found, Manifest, ManifestError, Release
from restore_guard.promise.migrations import MigrationError
from restore_guard.promise.migrations_text import with_migration
from restore_guard.promise.pins import pin
from restore_guard.promise.project import Project, load
from restore_guard.restore_paths.situations import optimizer_state
from restore_guard.result import Finding
from restore_guard.signature import Revival, Signature


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
    run: Run,
    *,
    names: Sequence[str],
    reason: str | None,
    migrate: bool = False,
    checkpoint: str | None = None,
    side: Side | None = None,
) -> list[Updated]:
    """Builds from the work tree and writes manifests, each at once or not at all.

    While branches are being merged, what both sides promised must restore, and both histories go on.

    Args:
        names: models; empty for all.
        side: builds from these files instead; the manifests are written to the work tree all the same.
        reason: why a break is accepted, or migrated; None refuses it.
        migrate: writes for each break the migration that carries old checkpoints across, as far as that is known.
        checkpoint: a file that the manifest of one model is pinned to.

    Raises:
        UsageError: wrong configuration, an unknown name, an empty reason, a checkpoint for several models.
        UncheckedError: no Python to build with.
    """
    if reason is not None and not reason.strip():
        raise UsageError("A break needs a reason that the review shows.")
    repository = run.repository
    project = load(repository, side or repository.worktree())
    chosen = project.named(names)
    if checkpoint is not None and len(chosen) != 1:
        raise UsageError(f"--from pins one model: name the one that {checkpoint} is of.")
    reading = files.job("checkpoint", checkpoint, project.config.timeout) if checkpoint is not None else None
    python = choose_pythons(run, project.config, [project.side])[project.side]
    head = repository.head()
    committed = repository.reader(head) if head is not None else lambda _: None
    released = releases.read(repository, project.config.releases, chosen)
    promises = {
        name: _promises(
            name,
            project.manifest(name),
            _promise(committed(project.manifest_file(name)), name),
            released.promises.get(name, ()),
            merges.of(repository, posixpath.normpath(posixpath.join(repository.project, project.manifest_file(name)))),
        )
        for name in chosen
    }
    orders = [
        Order(name, python, project.side, project.config, name, promises[name].paths(project.config, name))
        for name in chosen
    ]
    proposed = proposals(run, project, chosen, reason) if migrate else {}
    with Workshop(run) as workshop:
        file = files.read(workshop.run(python, [reading])[reading.id], checkpoint) if reading is not None else None
        built = workshop.build(orders)
        asked = [
            question
            for order in orders
            for question in revivals.questions(order, built[order.id].signature, promises[order.name].signatures)
        ]
        revived = revivals.ask(workshop, asked)
        updated = [
            _update(
                repository,
                project,
                name,
                built[name],
                promises[name],
                revived.get(name, {}),
                reason,
                file,
                proposed.get(name),
            )
            for name in chosen
        ]
        written = {one.name for one in updated if one.state == "written"}
        warnings = unlike(workshop, project, [order for order in orders if order.name in written], built)
    return [replace(one, findings=(*one.findings, *warnings.get(one.name, ()))) for one in updated]


def _update(
    repository: Repository,
    project: Project,
    name: str,
    build: Build,
    promises: Promises,
    revived: Mapping[str, Revival],
    reason: str | None,
    checkpoint: Checkpoint | None,
    proposal: Proposal | None,
) -> Updated:
    file = project.manifest_file(name)
    if build.signature is None:
        return Updated(name, "failed", f"could not be built: {build.failure}", detail=build.detail)
    own = project.manifest(name)
    own = own if isinstance(own, Manifest) else None
    promise = promises.current
    paths = promised(project.config, name, None, build.signature)
    model = build.signature
    if unread := [model.unread[path] for path in paths if path in model.unread]:
        return Updated(name, "failed", f"cannot be described: {unread[0]}")
    if "keras-archive" not in paths:
        model = msgspec.structs.replace(model, archive=None)
    kept = pinning.kept_pins(promise, own)
    pins = {path: pin for path, pin in kept.items() if not pinning.is_troubled(pin, path, model)}
    loads, fresh = [], {}
    if checkpoint is not None:
        if (refused := _refusal(name, checkpoint)) is not None:
            return refused
        fresh = pinning.pins(project, name, model, paths, checkpoint)
        loads = [load for path, pin in fresh.items() for load in pinning.loads(pin, path, model)]
        outcomes = [outcome for load in loads for outcome in load.outcomes.values()]
        if not all(outcome.certain for outcome in outcomes):
            return Updated(name, "failed", "a layer reads its variables by code of its own, which is not simulated")
        if unable := [outcome.error for outcome in outcomes if outcome.kind == "unsupported"]:
            return Updated(name, "refused", f"{checkpoint.name} cannot be loaded: {unable[0]}")
        pins |= fresh
    settled = settle(
        project.config, name, file, promises, own, build.signature, revived=revived, loads=loads, reason=reason
    )
    breaks = settled.breaks
    if settled.history is None:
        lost = "old checkpoints would no longer restore"
        if checkpoint is not None:
            lost = f"{checkpoint.name}, or what is promised already, would not restore completely"
        return Updated(name, "refused", f"{lost}; the manifest stays as it is", breaks)
    signature, pinned = model, {}
    for path, kept_to in pins.items():
        held = pin(signature, kept_to.saved, path, kept_to.edge)
        if held is not None:
            signature, pinned[path] = held, kept_to.name
    new = Manifest(name, paths, signature, settled.epoch, settled.history, pinned)
    broken = any(finding.status == "accepted" for finding in breaks)
    if broken and proposal is not None and reason is not None:
        # Before the manifest: a migration that leads nowhere yet does no harm.
        _write_migration(repository, project, name, proposal)
        breaks = tuple(
            msgspec.structs.replace(item, status="migrated") if item.status == "accepted" else item for item in breaks
        )
    found = breaks + _unsaved(project, name, model, paths, promise)
    written = manifest.write(repository.root / repository.project / file, new)
    count = sum(not variable.seed for variable in model.variables)
    message = f"{file} {'written' if written else 'is current'} ({count} variables)"
    if promises.theirs is not None:
        message += "; what both sides of the merge promised restores, or was accepted"
    message += "".join(f"; {path} is pinned to {held}" for path, held in pinned.items())
    ended = [f"; {path} is not pinned to {pin.name} any more" for path, pin in kept.items() if path not in pinned]
    message += "".join(ended)
    if loads and not pinned.keys() & fresh.keys():
        message += f"; loading {checkpoint.name} raises, so nothing is pinned to it"
    if broken and proposal is not None and reason is not None:
        message += f"; a break is migrated, epoch {new.epoch}: {reason}; {_about(project, name, proposal)}"
    elif broken:
        message += f"; a break was accepted, epoch {new.epoch}: {new.history[-1].reason}"
    elif reason is not None:
        message += "; nothing breaks, so the reason was not recorded"
    return Updated(name, "written" if written else "unchanged", message, found)


def _write_migration(repository: Repository, project: Project, name: str, proposal: Proposal) -> None:
    """Raises UsageError where the file of migrations cannot be read."""
    there = project.migrations(name)
    if isinstance(there, MigrationError):
        raise UsageError(str(there))
    if there is not None and proposal.migration in there.tables:
        return
    text = with_migration(there.text if there is not None else None, proposal.migration, proposal.why)
    file = repository.root / repository.project / project.migrations_file(name)
    write(file, text.encode())


def _about(project: Project, name: str, proposal: Proposal) -> str:
    """What to do with a migration that was written."""
    file, undecided = project.migrations_file(name), len(proposal.migration.open)
    if undecided:
        return f"{undecided} of its entries are open: decide them in {file}"
    return f"review {file}, which `restore-guard check` tries on a real checkpoint"


def _refusal(name: str, checkpoint: Checkpoint) -> Updated | None:
    """Why a file cannot be pinned at all."""
    if checkpoint.state == "unread":
        return Updated(name, "failed", f"{checkpoint.name} could not be read: {checkpoint.failure}")
    if checkpoint.damage:
        return Updated(name, "refused", f"{checkpoint.name} is damaged: {checkpoint.damage[0]}")
    if checkpoint.signature is None:
        return Updated(name, "refused", f"{checkpoint.name} holds nothing that restores")
    return None


def _promises(
    name: str, own: Found, committed: Manifest | None, released: tuple[Release, ...], joined: Joined | None
) -> Promises:
    """An uncommitted manifest promises nothing to anybody yet; without a committed one it is the best there is."""
    current = committed or (own if isinstance(own, Manifest) else None)
    released = released if current is not None else ()
    if joined is None:
        return Promises(current, released)
    base, ours, theirs = (_promise(content, name) for content in (joined.base, joined.ours, joined.theirs))
    return Promises(ours or current, released, theirs, base)


def _promise(content: bytes | None, name: str) -> Manifest | None:
    try:
        return manifest.parse(content, name, name) if content is not None else None
    except ManifestError:
        return None


def _unsaved(
    project: Project, name: str, signature: Signature, paths: Sequence[str], promise: Manifest | None
) -> tuple[Finding, ...]:
    """What no checkpoint will ever hold is said once, when the manifest is first made."""
    if promise is not None:
        return ()
    context = findings.Context(name, project.manifest_file(name), project.config)
    state = optimizer_state(signature)
    unsaved = {path: never_written(path, signature) - state for path in paths}
    return tuple(findings.never_saved(signature, unsaved, context))
