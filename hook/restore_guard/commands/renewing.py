"""One manifest, regenerated: what it is pinned to, what breaks, what is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from restore_guard.build import Build
from restore_guard.building.checkpoint import Checkpoint
from restore_guard.change.repository import Repository
from restore_guard.commands import pinning
from restore_guard.commands.joined_migrations import of_merge
from restore_guard.commands.pinning import Pin
from restore_guard.commands.settling import Promises, settle
from restore_guard.commands.settling_loads import Into, Loader, SettledLoads, settle_loads
from restore_guard.commands.unchanged import unable
from restore_guard.config import RestorePath
from restore_guard.errors import UsageError
from restore_guard.judging import findings
from restore_guard.judging.case import promised
from restore_guard.judging.comparison import Comparison, never_written
from restore_guard.judging.proposal import Proposal
from restore_guard.promise import manifest
from restore_guard.promise.files import write
from restore_guard.promise.manifest import Manifest
from restore_guard.promise.migrations import Found, MigrationError, Migrations
from restore_guard.promise.migrations_text import with_migration
from restore_guard.promise.pins import pin
from restore_guard.promise.project import Project
from restore_guard.restore_paths import WITH_STATE, restore
from restore_guard.restore_paths.situations import optimizer_state
from restore_guard.result import Finding
from restore_guard.rules.shared import words
from restore_guard.signature import Revival, Signature


class Updated(msgspec.Struct, frozen=True):
    """What became of one manifest.

    Attributes:
        state: written, unchanged, refused (a break without a reason) or failed (no build).
        message: one sentence for a person.
        findings: the breaks that were refused or accepted, and what no path ever writes.
        notes: what a real restore of the unchanged model showed, or why there was none; so of one behind a migration.
    """

    name: str
    state: str
    message: str
    findings: tuple[Finding, ...] = ()
    detail: str = ""
    notes: tuple[str, ...] = ()


class Renewal(msgspec.Struct, frozen=True, dict=True):
    """All that decides what becomes of one manifest.

    Attributes:
        build: of the files that the manifest is to describe.
        revived: {configuration in old `.keras` files: what these files make of it}.
        reason: why a break is accepted, or migrated; None refuses it.
        checkpoint: a file that the manifest is to be pinned to.
        proposal: the migration that carries old checkpoints across a break.
        others: the models that its checkpoints are restored into.
    """

    repository: Repository
    project: Project
    name: str
    build: Build
    promises: Promises
    revived: Mapping[str, Revival] = msgspec.field(default_factory=dict)
    reason: str | None = None
    checkpoint: Checkpoint | None = None
    proposal: Proposal | None = None
    others: Sequence[Into] = ()

    @property
    def folder(self) -> Path:
        """Where the project is in the work tree."""
        return self.repository.root / self.repository.project

    @property
    def file(self) -> str:
        """The manifest, relative to the project."""
        return self.project.manifest_file(self.name)

    @cached_property
    def own(self) -> Manifest | None:
        """What is on disk of it."""
        found = self.project.manifest(self.name)
        return found if isinstance(found, Manifest) else None

    def ended(self, state: str, message: str, findings: tuple[Finding, ...] = (), detail: str = "") -> Updated:
        """The manifest stays as it is, for the reason in `message`."""
        return Updated(self.name, state, message, findings, detail)


class _Pins(msgspec.Struct, frozen=True):
    """What a manifest is to be pinned to.

    Attributes:
        before: {restore path: the pin that was there already}.
        wanted: {restore path: the pin that is to hold from now on}.
        fresh: the restore paths of the file that was given now.
        loads: that file, loaded into the model.
    """

    before: Mapping[RestorePath, Pin]
    wanted: Mapping[RestorePath, Pin]
    fresh: frozenset[str] = frozenset()
    loads: Sequence[Comparison] = ()


def renew(renewal: Renewal) -> Updated:
    """Writes one manifest, at once or not at all, and the migration that goes with it.

    Raises:
        UsageError: the file of migrations cannot be read; the model promises no restore path of the checkpoint.
    """
    build = renewal.build.signature
    if build is None:
        return renewal.ended("failed", f"could not be built: {renewal.build.failure}", detail=renewal.build.detail)
    paths = promised(renewal.project.config, renewal.name, None, build)
    if unread := [build.unread[path] for path in paths if path in build.unread]:
        return renewal.ended("failed", f"cannot be described: {unread[0]}")
    model = build
    for path, _ in build.wholes:
        model = model if path in paths else model.with_whole(path, None)
    pins = _pins(renewal, model, paths)
    if isinstance(pins, Updated):
        return pins
    settled = settle(
        renewal.project.config,
        renewal.name,
        renewal.file,
        renewal.promises,
        renewal.own,
        build,
        revived=renewal.revived,
        loads=pins.loads,
        reason=renewal.reason,
    )
    loads = _loads(renewal, build, paths)
    if settled.history is None or loads.accepted is None:
        return _refused(renewal, settled.breaks + loads.breaks)
    signature, pinned = _pinned(model, pins)
    new = Manifest(renewal.name, paths, signature, settled.epoch, settled.history, pinned, loads.accepted)
    joined = _joined_migrations(renewal)
    breaks = _with_migration(renewal, settled.breaks, joined) + loads.breaks
    unsaved = _unsaved(renewal, model, paths)
    written = manifest.write(renewal.folder / renewal.file, new) or joined is not None
    notes = [*loads.notes]
    if joined is not None:
        notes.append(f"{joined.file} has the migrations of both sides, renumbered: review them")
    message = "; ".join((_message(renewal, model, new, pins, breaks, written=written), *notes))
    return Updated(renewal.name, "written" if written else "unchanged", message, breaks + unsaved)


def _pins(renewal: Renewal, model: Signature, paths: tuple[str, ...]) -> _Pins | Updated:
    """What the manifest is to be pinned to; or why it cannot be pinned to the file that was given."""
    before = pinning.kept_pins(renewal.promises.current, renewal.own)
    wanted = {path: pin for path, pin in before.items() if not pinning.is_troubled(pin, path, model)}
    checkpoint = renewal.checkpoint
    if checkpoint is None:
        return _Pins(before, wanted)
    if (refused := _refusal(renewal, checkpoint)) is not None:
        return refused
    fresh = pinning.pins(renewal.project, renewal.name, model, paths, checkpoint)
    loads = [load for path, pin in fresh.items() for load in pinning.loads(pin, path, model)]
    outcomes = [outcome for load in loads for outcome in load.outcomes.values()]
    if not all(outcome.certain for outcome in outcomes):
        unfamiliar = [model.unfamiliar[path] for path in fresh if path in model.unfamiliar]
        own = "a layer reads its variables by code of its own, which is not simulated"
        return renewal.ended("failed", (*unfamiliar, own)[0])
    if unable := [outcome.error for outcome in outcomes if outcome.kind == "unsupported"]:
        return renewal.ended("refused", f"{checkpoint.name} cannot be loaded: {unable[0]}")
    return _Pins(before, wanted | fresh, frozenset(fresh), loads)


def _loads(renewal: Renewal, build: Signature, paths: tuple[str, ...]) -> SettledLoads:
    """What becomes of its checkpoints in other models."""
    loader = Loader(renewal.name, renewal.file, renewal.project.config, renewal.promises, renewal.own, build, paths)
    return settle_loads(loader, renewal.others, renewal.reason)


def _refused(renewal: Renewal, breaks: tuple[Finding, ...]) -> Updated:
    lost = "old checkpoints would no longer restore"
    if renewal.checkpoint is not None:
        lost = f"{renewal.checkpoint.name}, or what is promised already, would not restore completely"
    return renewal.ended("refused", f"{lost}; the manifest stays as it is", breaks)


def _pinned(model: Signature, pins: _Pins) -> tuple[Signature, dict[RestorePath, str]]:
    """The model as the pinned files hold it, and {restore path: the name of its file}."""
    signature, pinned = model, {}
    for path, wanted in pins.wanted.items():
        held = pin(signature, wanted.saved, path, wanted.edge)
        if held is not None:
            signature, pinned[path] = held, wanted.name
    return signature, pinned


def _joined_migrations(renewal: Renewal) -> Migrations | None:
    """Writes the migrations of both sides of a merge; None where there is nothing to join.

    Raises:
        UsageError: those of one side cannot be read.
    """
    try:
        joined = of_merge(renewal.repository, renewal.project, renewal.name, renewal.promises)
    except MigrationError as error:
        raise UsageError(str(error)) from error
    if joined is not None:
        write(renewal.folder / joined.file, joined.text.encode())
    return joined


def _with_migration(renewal: Renewal, breaks: tuple[Finding, ...], joined: Migrations | None) -> tuple[Finding, ...]:
    """Writes the migration that is proposed; the breaks that it carries checkpoints across are migrated then.

    It is written before the manifest: a migration that leads nowhere yet does no harm.
    """
    accepted = any(finding.status == "accepted" for finding in breaks)
    if not accepted or renewal.proposal is None or renewal.reason is None:
        return breaks
    _write_migration(renewal, renewal.proposal, joined or renewal.project.migrations(renewal.name))
    return tuple(
        msgspec.structs.replace(item, status="migrated") if item.status == "accepted" else item for item in breaks
    )


def _message(
    renewal: Renewal, model: Signature, new: Manifest, pins: _Pins, breaks: Sequence[Finding], *, written: bool
) -> str:
    count = new.signature.count
    said = [f"{renewal.file} {'written' if written else 'is current'} ({count} variables)"]
    if renewal.promises.theirs is not None:
        said.append("what both sides of the merge promised restores, or was accepted")
    said += [f"{path} is pinned to {held}" for path, held in new.pinned.items()]
    said += [
        f"{path} is not pinned to {pin.name} any more" for path, pin in pins.before.items() if path not in new.pinned
    ]
    if renewal.checkpoint is not None and pins.loads and not new.pinned.keys() & pins.fresh:
        said.append(f"loading {renewal.checkpoint.name} raises, so nothing is pinned to it")
    statuses = {finding.status for finding in breaks}
    if "migrated" in statuses and renewal.proposal is not None:
        what = _about(renewal, renewal.proposal)
        said.append(f"a break is migrated, epoch {new.epoch}: {renewal.reason}; {what}")
    elif "accepted" in statuses:
        said.append(_accepted(renewal, new))
    elif renewal.reason is not None:
        said.append("nothing breaks, so the reason was not recorded")
    said += unable(model, new.restores)
    before = renewal.promises.current
    if before is not None:
        lost = {path: restore(path, before.signature, model).lost for path in new.restores if path in WITH_STATE}
        said += [words.state_lost(path, names) for path, names in lost.items() if names]
    return "; ".join(said)


def _accepted(renewal: Renewal, new: Manifest) -> str:
    """Which break was accepted last: one of the model itself, or what another model loses of its checkpoints."""
    if new.epoch > renewal.promises.past[0] or not new.loads:
        return f"a break was accepted, epoch {new.epoch}: {new.history[-1].reason}"
    return f"a loss in {new.loads[-1].into} was accepted: {new.loads[-1].reason}"


def _write_migration(renewal: Renewal, proposal: Proposal, there: Found) -> None:
    """Raises UsageError where the file of migrations cannot be read."""
    if isinstance(there, MigrationError):
        raise UsageError(str(there))
    if there is not None and proposal.migration in there.tables:
        return
    text = with_migration(there.text if there is not None else None, proposal.migration, proposal.why)
    write(renewal.folder / renewal.project.migrations_file(renewal.name), text.encode())


def _about(renewal: Renewal, proposal: Proposal) -> str:
    """What to do with a migration that was written."""
    file, undecided = renewal.project.migrations_file(renewal.name), len(proposal.migration.open)
    if undecided:
        return f"{undecided} of its entries are open: decide them in {file}"
    return f"review {file}, which `restore-guard check` tries on a real checkpoint"


def _refusal(renewal: Renewal, checkpoint: Checkpoint) -> Updated | None:
    """Why a file cannot be pinned at all."""
    if checkpoint.state == "unread":
        return renewal.ended("failed", f"{checkpoint.name} could not be read: {checkpoint.failure}")
    if checkpoint.damage:
        return renewal.ended("refused", f"{checkpoint.name} is damaged: {checkpoint.damage[0]}")
    if checkpoint.signature is None:
        return renewal.ended("refused", f"{checkpoint.name} holds nothing that restores")
    return None


def _unsaved(renewal: Renewal, signature: Signature, paths: Sequence[str]) -> tuple[Finding, ...]:
    """What no checkpoint will ever hold is said once, when the manifest is first made."""
    if renewal.promises.current is not None:
        return ()
    context = findings.Context(renewal.name, renewal.file, renewal.project.config)
    state = optimizer_state(signature)
    unsaved = {path: never_written(path, signature) - state for path in paths}
    return tuple(findings.never_saved(signature, unsaved, context))
