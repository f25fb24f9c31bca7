"""Which models are built already for one that is configured, as only building both tells: behind an import by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from restore_guard.building import probing
from restore_guard.building.apart import Apart
from restore_guard.building.workshop import model_job
from restore_guard.change.repository import Repository
from restore_guard.commands.survey import Model
from restore_guard.config import Config
from restore_guard.promise import excerpts
from restore_guard.signature import Signature

_MOST = 20
"""Builds for this question alone: whoever sets up waits for them."""


def guarded(
    repository: Repository,
    settings: Config | None,
    root: Path,
    models: Sequence[Model],
    probe: probing.Probe,
    apart: Apart,
) -> set[str]:
    """The names of those of these models whose variables are all made at lines where a configured one makes some."""
    if settings is None or not models:
        return set()
    files = {model.candidate.file for model in models}
    jobs = [model_job(settings, name, root) for name in _reaching(repository, settings, files)][:_MOST]
    if not jobs:
        return set()
    purpose = "comparing with what is configured"
    built = apart.again(jobs, probe.run(jobs, purpose), lambda it: probe.run(it, purpose))
    known = [_lines(build.signature) for build in built.values() if build.signature is not None]
    return {
        model.name
        for model in models
        if model.build.signature is not None
        and (own := _lines(model.build.signature))
        and any(own <= lines for lines in known)
    }


def _reaching(repository: Repository, settings: Config, files: set[str]) -> Iterator[str]:
    """The configured models that may read one of these files: by their manifests, where there are any."""
    read = repository.reader(repository.worktree())
    for name in settings.models:
        content = read(f"{settings.manifests}/{name}.json")
        traced = excerpts.trace(content, name) if content is not None else None
        if traced is None or traced.opaque or files.intersection(traced.sources):
            yield name


def _lines(signature: Signature) -> set[tuple[str, int]]:
    sites = (variable.site for variable in signature.variables if not variable.seed)
    return {(site.file, site.line) for site in sites if site is not None}
