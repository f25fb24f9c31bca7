"""Regenerates manifests from the work tree; a break is never absorbed without a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from restore_guard import building, builds, findings, judge, manifest, releases, revivals
from restore_guard.comparison import Comparison, compare, never_written
from restore_guard.config import Config
from restore_guard.diffs import Diff
from restore_guard.errors import UsageError
from restore_guard.manifest import Accepted, Broken, Manifest, ManifestError
from restore_guard.project import Project, load
from restore_guard.releases import Release
from restore_guard.repository import Repository
from restore_guard.restore_paths import Outcome
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
    project = load(repository, repository.worktree())
    chosen = list(names) or list(project.config.models)
    for name in chosen:
        if name not in project.config.models:
            raise UsageError(
                f"{name} is not a configured model; {project.file} configures {', '.join(project.config.models)}."
            )
    side = project.side
    python = building.pythons(repository, {"head": side}, project.config, environ, progress)["head"]
    head = repository.head()
    committed = repository.reader(head) if head is not None else lambda _: None
    released = releases.read(repository, project.config.releases, chosen)
    promises = {
        name: _Promises(_promise(committed(project.manifest_file(name)), name), released.promises.get(name, ()))
        for name in chosen
    }
    orders = [
        building.Order(name, python, side, project.config, name, promises[name].paths(project.config, name))
        for name in chosen
    ]
    with building.Building(repository, environ, progress) as workshop:
        built = workshop.build(orders)
        asked = [
            question
            for order in orders
            for question in revivals.questions(order, built[order.id].signature, promises[order.name].signatures)
        ]
        revived = revivals.ask(workshop, asked)
    return [
        _update(repository, project, name, built[name], promises[name], revived.get(name, {}), reason)
        for name in chosen
    ]


@dataclass(frozen=True)
class _Promises:
    """What must stay restorable: the committed manifest, and those of releases in service."""

    committed: Manifest | None
    releases: tuple[Release, ...]

    @property
    def manifests(self) -> list[Manifest]:
        return [*filter(None, [self.committed]), *(release.promise for release in self.releases)]

    @property
    def signatures(self) -> list[Signature]:
        return [promise.signature for promise in self.manifests]

    def paths(self, settings: Config, name: str) -> tuple[str, ...]:
        """The restore paths that the build must be good for."""
        promised = [path for promise in self.manifests for path in promise.restores]
        return tuple(dict.fromkeys([*(settings.models[name].restores or ()), *promised]))


def _update(
    repository: Repository,
    project: Project,
    name: str,
    build: builds.Build,
    promises: _Promises,
    revived: Mapping[str, Revival],
    reason: str | None,
) -> Updated:
    file = project.manifest_file(name)
    if build.signature is None:
        return Updated(name, "failed", f"could not be built: {build.failure}", detail=build.detail)
    own = project.manifest(name)
    own = own if isinstance(own, Manifest) else None
    # An uncommitted manifest promises nothing to anybody yet; without a committed one it is the best there is.
    promise = promises.committed or own
    paths = judge.promised(project.config, name, None, build.signature)
    signature = build.signature
    if "keras-archive" not in paths:
        signature = msgspec.structs.replace(signature, archive=None)
    new = Manifest(name, paths, signature)
    found: tuple[Finding, ...] = _unsaved(project, name, signature, paths, promise)
    accepted = False
    if promise is not None:
        promises = _Promises(promise, promises.releases)
        epoch, history, breaks = _settle(project, name, promises, own, build.signature, revived, reason)
        if history is None:
            return Updated(
                name,
                "refused",
                "old checkpoints would no longer restore; the manifest stays as it is",
                breaks,
            )
        accepted, found = epoch > promise.epoch, breaks + found
        new = Manifest(name, paths, signature, epoch, history)
    written = manifest.write(repository.root / repository.project / file, new)
    count = sum(not variable.seed for variable in build.signature.variables)
    message = f"{file} {'written' if written else 'is current'} ({count} variables)"
    if accepted:
        message += f"; a break was accepted, epoch {new.epoch}: {new.history[-1].reason}"
    elif reason is not None:
        message += "; nothing breaks, so the reason was not recorded"
    return Updated(name, "written" if written else "unchanged", message, found)


def _promise(content: bytes | None, name: str) -> Manifest | None:
    try:
        return manifest.parse(content, name) if content is not None else None
    except ManifestError:
        return None


def _settle(
    project: Project,
    name: str,
    promises: _Promises,
    own: Manifest | None,
    signature: Signature,
    revived: Mapping[str, Revival],
    reason: str | None,
) -> tuple[int, tuple[Accepted, ...] | None, tuple[Finding, ...]]:
    """Returns (epoch, history, breaks); history is None where a break has no reason."""
    promise = promises.committed
    history = own.history if own is not None else promise.history
    compared: list[Comparison] = []
    breaks: dict[tuple, Finding] = {}
    for old in promises.manifests:
        paths = judge.promised(project.config, name, old, signature) if old is promise else old.restores
        comparisons = compare(old.signature, signature, paths, Diff({}), revived)
        pending = tuple(entry for entry in history if entry.epoch > old.epoch)
        context = findings.Context(
            name, project.manifest_file(name), project.config, _known(old, promise), accepted=pending
        )
        mine = [f for f in findings.find(comparisons, context) if f.restores and f.status != "pre-existing"]
        if mine:
            compared += comparisons
            breaks |= {(f.rule, f.old, f.new): f for f in mine if (f.rule, f.old, f.new) not in breaks}
    found = tuple(breaks.values())
    if not found:
        return promise.epoch, promise.history, ()
    if reason is None:
        covered = all(finding.status == "accepted" for finding in found)
        return (max(entry.epoch for entry in history), history, found) if covered else (promise.epoch, None, found)
    entry = Accepted(promise.epoch + 1, " ".join(reason.split()), _broken_by(compared))
    accepted = tuple(msgspec.structs.replace(finding, status="accepted", fix="", accept="") for finding in found)
    return entry.epoch, (*promise.history, entry), accepted


def _known(old: Manifest, promise: Manifest) -> frozenset[tuple[str, str]]:
    """What of a release no longer restored already before: an earlier change's doing."""
    if old is promise:
        return frozenset()
    # What the code of that time made of a configuration is known to nobody any more.
    paths = [path for path in old.restores if path != "keras-archive"]
    return findings.known_keys(compare(old.signature, promise.signature, paths, Diff({})))


def _broken_by(compared: Sequence[Comparison]) -> dict[str, Broken]:
    """{restore path: what is broken on it}, of all comparisons together."""
    broken: dict[str, Broken] = {}
    for comparison in compared:
        for path, outcome in comparison.outcomes.items():
            new, old = _broken(outcome, comparison.misplaced(path)), broken.get(path)
            if new is not None and old is not None:
                new = Broken(
                    max(old.outcome, new.outcome),  # raises is after partial
                    tuple(dict.fromkeys([*old.initial, *new.initial])),
                    tuple(dict.fromkeys([*old.unused, *new.unused])),
                    tuple(dict.fromkeys([*old.misplaced, *new.misplaced])),
                    old.error or new.error,
                )
            if new is not None:
                broken[path] = new
    return broken


def _broken(outcome: Outcome, misplaced: Mapping[str, str]) -> Broken | None:
    """What the history keeps of an outcome; None where nothing is broken."""
    if outcome.kind == "raises":
        error = (outcome.error or "").splitlines()
        return Broken(outcome.kind, error=error[0] if error else None)
    if outcome.kind == "unsupported" or not (outcome.initial or outcome.unused or misplaced):
        return None
    return Broken(outcome.kind, outcome.initial, outcome.unused, tuple(misplaced))


def _unsaved(
    project: Project, name: str, signature: Signature, paths: Sequence[str], promise: Manifest | None
) -> tuple[Finding, ...]:
    """What no checkpoint will ever hold is said once, when the manifest is first made."""
    if promise is not None:
        return ()
    context = findings.Context(name, project.manifest_file(name), project.config)
    unsaved = {path: never_written(path, signature) for path in paths}
    return tuple(findings.never_saved(signature, unsaved, context))
