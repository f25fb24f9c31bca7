"""One check: two sides of a repository in, a `Result` out. Reads the user's files and changes none.

Most commits touch no model: for them nothing is imported but what reads git and text.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from restore_guard import config
from restore_guard.change import affected
from restore_guard.change.repository import Change, Repository, Side
from restore_guard.config import WitnessMode
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.promise.project import Project, load
from restore_guard.result import Finding, ModelResult, Result
from restore_guard.rules import RULES, level

Progress = Callable[[str], None]


def check(
    repository: Repository,
    base: Side | None,
    head: Side,
    *,
    names: Sequence[str] = (),
    everything: bool = False,
    notes: Sequence[str] = (),
    witness: WitnessMode = "auto",
    build: bool = True,
    environ: Mapping[str, str],
    progress: Progress = lambda _: None,
) -> Result:
    """Judges every model that differs between two sides.

    Args:
        base: None where there is nothing before the head: the initial commit.
        names: models to check, affected or not; empty for all that are affected.
        everything: checks every model even if no file of it changed.
        notes: what the reader must know of the two sides.
        witness: whether real checkpoints are saved and restored; see `judging.case.is_worth_a_witness`.
        build: False leaves the models that would be built unchecked, with nothing said of them.

    Raises:
        UsageError: wrong configuration at the head, or a name that is not configured.
        UncheckedError: nothing can be checked at all.
    """
    project, before, changes, chosen, about_base = _selected(repository, base, head, names, everything)
    results = [_unaffected(project, before, name) for name in project.config.models if name not in chosen and not names]
    if not build:
        results += [ModelResult(name, "unchecked") for name in chosen]
    elif chosen:
        from restore_guard.commands import verdicts

        results += verdicts.find(repository, project, before, chosen, changes, witness, environ, progress)
    order = list(project.config.models)
    results.sort(key=lambda result: order.index(result.name))
    removed = _removed(project, before) if not names else []
    prefix = repository.project
    return Result(
        base=base.label if base else None,
        head=head.label,
        models=tuple(_relocated(result, prefix) for result in [*results, *removed]),
        notes=(*notes, *about_base, *_about_ignores(project, results)),
    )


def affected_models(
    repository: Repository, base: Side | None, head: Side, *, names: Sequence[str] = (), everything: bool = False
) -> tuple[Project, list[str]]:
    """The head's project and the models that `check` would build; its arguments and errors are those of `check`."""
    selected = _selected(repository, base, head, names, everything)
    return selected.project, selected.chosen


class _Selected(NamedTuple):
    """What a check is about, told from git and text alone."""

    project: Project
    before: Project | None
    changes: Sequence[Change]
    chosen: list[str]
    notes: list[str]


def _selected(
    repository: Repository, base: Side | None, head: Side, names: Sequence[str], everything: bool
) -> _Selected:
    project = load(repository, head)
    notes: list[str] = []
    before = _load_base(repository, base, notes)
    changes = affected.relative_to(repository.changes(base, head), repository.project)
    reasons = affected.affected(changes, _view(before), _view(project))
    return _Selected(project, before, changes, _chosen(project, names, everything, reasons), notes)


def _load_base(repository: Repository, base: Side | None, notes: list[str]) -> Project | None:
    if base is None:
        return None
    try:
        return load(repository, base)
    except UsageError as error:
        notes.append(f"The base cannot be compared with: {error}")
        return None


def _view(project: Project | None) -> affected.View | None:
    if project is None:
        return None
    return affected.View(project.config, project.read, {name: project.sources(name) for name in project.manifests})


def _chosen(project: Project, names: Sequence[str], everything: bool, reasons: Mapping[str, str]) -> list[str]:
    named = project.named(names) if names else []
    return [name for name in project.config.models if name in named or everything or (not names and name in reasons)]


def _unaffected(project: Project, before: Project | None, name: str) -> ModelResult:
    """A model that no changed file belongs to; only a missing manifest is still said."""
    if project.manifests.get(name) is not None:
        return ModelResult(name, "unaffected")
    known = before is not None and name in before.config.models and before.manifests.get(name) is None
    file = project.manifest_file(name)
    finding = Finding(
        rule="manifest-missing",
        level=level("manifest-missing", project.config),
        file=file,
        line=0,
        message=f"{name} has no manifest: run `restore-guard update {name}` and commit {file}.",
        status="pre-existing" if known else "new",
        fix=RULES["manifest-missing"].fix,
    )
    return ModelResult(name, "breaks" if finding.fails else "unaffected", manifest="missing", findings=(finding,))


def _removed(project: Project, before: Project | None) -> list[ModelResult]:
    """Models of the base that the head no longer configures."""
    results = []
    for name in before.config.models if before else ():
        if name in project.config.models:
            continue
        file = before.manifest_file(name)
        left = project.read(file) is not None
        finding = Finding(
            rule="model-removed",
            level=level("model-removed", project.config, "error" if left else "warning"),
            file=project.file,
            line=0,
            message=f"{name} is no longer configured, so nobody checks its checkpoints any more"
            + (f", but its manifest {file} is still there." if left else "; its manifest is gone with it."),
            old=name,
            fix=RULES["model-removed"].fix,
        )
        results.append(
            ModelResult(name, "breaks" if finding.fails else "restores", manifest="missing", findings=(finding,))
        )
    return results


def _about_ignores(project: Project, results: Sequence[ModelResult]) -> Iterator[str]:
    """Says which ignores are over, and which silence nothing of models that were all judged."""
    import datetime

    judged = {result.name: result.findings for result in results if result.verdict in ("restores", "breaks")}
    expired = config.expired(project.config, datetime.date.today())
    for entry in project.config.ignore:
        about = config.ignored_models(project.config, entry)
        silenced = (
            config.ignores(entry, name, finding.rule, finding.variables)
            for name in about & judged.keys()
            for finding in judged[name]
        )
        what = f"{project.file}: the ignore of {entry.rule} for {entry.model}"
        if entry in expired:
            yield f"{what} expired on {entry.expires}: {entry.reason}"
        elif about <= judged.keys() and not any(silenced):
            yield f"{what} silences nothing and can be removed: {entry.reason}"


def _relocated(result: ModelResult, prefix: str) -> ModelResult:
    """Files relative to the repository, where the project is a folder of it."""
    if not prefix:
        return result
    moved = tuple(
        msgspec.structs.replace(finding, file=posixpath.join(prefix, finding.file)) if finding.file else finding
        for finding in result.findings
    )
    return msgspec.structs.replace(result, findings=moved)


__all__ = ["Project", "UncheckedError", "check", "load"]
