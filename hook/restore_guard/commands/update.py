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
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from restore_guard.build import Build
from restore_guard.building import pythons, revivals
from restore_guard.building.checkpoint import Reading
from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.change import merges
from restore_guard.change.merges import Joined
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.states import Side
from restore_guard.commands.proposing import proposals
from restore_guard.commands.renewing import Renewal, Updated, renew
from restore_guard.commands.settling import Promises
from restore_guard.commands.settling_loads import Into
from restore_guard.commands.unchanged import Tried, tried
from restore_guard.errors import UsageError
from restore_guard.judging.case import promised
from restore_guard.judging.proposal import Proposal
from restore_guard.promise import manifest, releases
from restore_guard.promise.manifest import Found, Manifest, ManifestError, Release
from restore_guard.promise.project import Project, load
from restore_guard.signature import Revival


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
    named = project.named(names)
    if checkpoint is not None and len(named) != 1:
        raise UsageError(f"--from pins one model: name the one that {checkpoint} is of.")
    reading = Reading([checkpoint] if checkpoint is not None else [], project.config.timeout)
    python = pythons.of_side(run, project.config, project.side)
    chosen, others = _chosen(project, named)
    promises = _promises_of(repository, project, [*chosen, *others])
    orders = [
        BuildOrder(name, python, project.side, project.config, name, its.paths(project.config, name))
        for name, its in promises.items()
    ]
    proposed = proposals(run, project, chosen, reason) if migrate and reason is not None else {}
    with Workshop(run, carry=project.config.carry) as workshop:
        file = next(iter(reading.run(workshop, python)), None)
        built = workshop.build(orders)
        revived = _revived(workshop, [order for order in orders if order.name in chosen], built, promises)

        def renewal(name: str) -> Renewal:
            pinned, proposal = file if name in named else None, proposed.get(name)
            into = [_into(project, other, built[other], promises[other]) for other in project.config.models[name].loads]
            made = built[name], promises[name], revived[name]
            return Renewal(repository, project, name, *made, reason, pinned, proposal, into)

        updated = [renew(renewal(name)) for name in chosen]
        written = {one.name for one in updated if one.state == "written"}
        seen = tried(workshop, project, [order for order in orders if order.name in written], built)
    return [_with(one, seen.get(one.name, Tried()), proposed.get(one.name)) for one in updated]


def _with(updated: Updated, seen: Tried, proposal: Proposal | None) -> Updated:
    remarks = proposal.remarks if proposal is not None else ()
    notes = tuple(dict.fromkeys((*remarks, *seen.notes)))
    return replace(updated, findings=(*updated.findings, *seen.findings), notes=notes)


def _chosen(project: Project, named: Collection[str]) -> tuple[list[str], list[str]]:
    """(the models to renew: those named, and those whose checkpoints are restored into them; what is only built)."""
    models = project.config.models
    chosen = [name for name in models if name in named or not {*models[name].loads}.isdisjoint(named)]
    others = dict.fromkeys(other for name in chosen for other in models[name].loads if other not in chosen)
    return chosen, [*others]


def _into(project: Project, name: str, build: Build, promises: Promises) -> Into:
    """A model that checkpoints of another one are restored into."""
    restores = promised(project.config, name, promises.current, build.signature) if build.signature else ()
    return Into(name, build, promises.current, restores)


def _revived(
    workshop: Workshop, orders: Sequence[BuildOrder], built: Mapping[str, Build], promises: Mapping[str, Promises]
) -> dict[str, Mapping[str, Revival]]:
    """{model: {configuration in a promised `.keras` file: what the files of today make of it}}."""
    asked = [
        question
        for order in orders
        for question in revivals.questions(order, built[order.id].signature, promises[order.name].signatures)
    ]
    found = revivals.ask(workshop, asked)
    return {order.name: found.get(order.id, {}) for order in orders}


def _promises_of(repository: Repository, project: Project, names: Sequence[str]) -> dict[str, Promises]:
    """{model: what must stay restorable}: by its committed manifest, by releases, by both sides of a merge."""
    head = repository.head()
    committed = repository.reader(head) if head is not None else lambda _: None
    released = releases.read(repository, project.config.releases, names)
    return {
        name: _promises(
            name,
            project.manifest(name),
            _promise(committed(project.manifest_file(name)), name),
            released.promises.get(name, ()),
            merges.of(repository, posixpath.normpath(posixpath.join(repository.project, project.manifest_file(name)))),
        )
        for name in names
    }


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
