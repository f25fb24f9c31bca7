"""Which promise does a checkpoint file fit? Asked of all manifests in git's history; nothing is built."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from restore_guard.building import pythons
from restore_guard.building.checkpoint import Checkpoint, Reading
from restore_guard.building.workshop import Workshop
from restore_guard.change.run import Run
from restore_guard.judging import route
from restore_guard.judging.fit import WRITTEN_BY, Fit, fits, fitting
from restore_guard.promise import history
from restore_guard.promise.history import Kept
from restore_guard.promise.project import Project, load


class Place(msgspec.Struct, frozen=True):
    """A model that the file fits, and where in history it stood.

    Attributes:
        since, until: (short sha, date) of the commit that wrote the manifest, and of the one that replaced it.
        releases: (tag, date), the oldest first.
        framework: {package: version} that it was written under.
        today: the epoch of the model on disk; None where it is no longer configured.
    """

    model: str
    epoch: int
    since: tuple[str, str]
    until: tuple[str, str] | None
    releases: tuple[tuple[str, str], ...]
    framework: dict[str, str]
    today: int | None


class Found(msgspec.Struct, frozen=True):
    """The answer: every place that the file fits, the newest first; `nearest` is a sentence where there is none."""

    checkpoint: Checkpoint
    places: tuple[Place, ...] = ()
    nearest: str | None = None

    @property
    def exit_code(self) -> int:
        """3 where the file could not be read, 1 where it fits nothing."""
        return 0 if self.places else 3 if self.checkpoint.state == "unread" else 1


def look_up(run: Run, path: str, *, name: str | None) -> Found:
    """Reads a checkpoint and looks for it among all manifests that were ever committed.

    Args:
        name: the model that it is of; None for all that ever had a manifest.

    Raises:
        UsageError: no such file or model, several checkpoints in a folder, wrong configuration.
        UncheckedError: no Python with TensorFlow.
    """
    repository = run.repository
    project = load(repository, repository.worktree())
    known = list(dict.fromkeys([*project.named([]), *history.names(repository, project.config.manifests)]))
    names = known if name is None else [name] if name in known else project.named([name])
    reading = Reading([path], project.config.timeout)
    python = pythons.of_side(run, project.config, project.side)
    with Workshop(run) as workshop:
        (read,) = reading.run(workshop, python)
    if read.signature is None or read.kind not in WRITTEN_BY:
        return Found(read, nearest="It holds nothing that restores.")
    tags = repository.dated_tags()
    tried = [
        ((each, model), fits(read.signature, read.kind, each.manifest.signature))
        for model in names
        for each in history.read(repository, project.manifest_file(model), tags)
    ]
    places = tuple(_place(project, model, each) for (each, model), _ in fitting(tried))
    return Found(read, places, _nearest(tried) if not places else None)


def _place(project: Project, model: str, kept: Kept) -> Place:
    since, until = kept.commits[-1], kept.until
    own = project.manifest(model)
    return Place(
        model,
        kept.manifest.epoch,
        (since.short, since.date),
        (until.short, until.date) if until is not None else None,
        tuple((tag.name, tag.date) for tag in kept.tags),
        kept.manifest.signature.framework,
        getattr(own, "epoch", None),
    )


def _nearest(tried: Sequence[tuple[tuple[Kept, str], Fit]]) -> str:
    if not tried:
        return "No manifest was ever committed: run `restore-guard update` and commit what it writes."
    (kept, model), fit = max(tried, key=lambda item: item[1].likeness)
    promise = route.Promise(kept.manifest.epoch, kept.manifest.signature, f"{model}, {kept.label}")
    return route.difference(promise, fit)
