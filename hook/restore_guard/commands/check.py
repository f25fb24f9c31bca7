"""One check: two sides of a repository in, a `Result` out. Reads the user's files and changes none.

Most commits touch no model: for them nothing is imported but what reads git and text.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from restore_guard import config, rules
from restore_guard.change import affected
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.change.states import Change
from restore_guard.config import WitnessMode
from restore_guard.errors import UsageError
from restore_guard.promise.project import NotConfiguredError, Project, Projects, load
from restore_guard.result import Finding, ModelResult, Result, Seen, Verdict


def check(
    run: Run,
    sides: Sides,
    *,
    names: Sequence[str] = (),
    everything: bool = False,
    witness: WitnessMode = "auto",
    settings: Path | None = None,
) -> Result:
    """Judges every model that differs between two sides.

    Args:
        names: models to check, affected or not; empty for all that are affected.
        everything: checks every model even if no file of it changed.
        witness: whether real checkpoints are saved and restored; see `judging.case.not_worth_a_witness`.
        settings: a file whose configuration counts for both sides, instead of theirs.

    Raises:
        UsageError: wrong configuration at the head, or a name that is not configured.
        UncheckedError: nothing can be checked at all.
    """
    selection = select(run.repository, sides, names=names, everything=everything, settings=settings)
    judged: list[ModelResult] = []
    if selection.chosen:
        from restore_guard.commands.suspects import Suspects
        from restore_guard.commands.verdicts import judge_suspects

        judged = judge_suspects(run, Suspects(selection.projects, selection.changes, selection.chosen), witness)
    return _result(run.repository, sides, selection, judged)


def without_builds(run: Run, sides: Sides, *, names: Sequence[str] = ()) -> Result:
    """What `check` says of the models that need no build; the others are unchecked, with nothing said of them."""
    selection = select(run.repository, sides, names=names)
    return _result(run.repository, sides, selection, [ModelResult(name, "unchecked") for name in selection.chosen])


class Selection(NamedTuple):
    """What a check is about, told from git and text alone.

    Attributes:
        changes: the files that differ, relative to the project.
        chosen: the models to build.
        named: whether the user asked for these models, and for nothing about others.
        notes: why the base cannot be compared with.
        unread: whether there is a base that cannot be read, and so cannot be judged.
    """

    projects: Projects
    changes: Sequence[Change]
    chosen: list[str]
    named: bool
    notes: list[str]
    unread: bool = False


def select(
    repository: Repository,
    sides: Sides,
    *,
    names: Sequence[str] = (),
    everything: bool = False,
    settings: Path | None = None,
) -> Selection:
    """What `check` would build; its arguments and errors are those of `check`."""
    head = load(repository, sides.head, settings)
    base, note = None, None
    unread = False
    if sides.base is not None:
        try:
            base = load(repository, sides.base, settings)
        except UsageError as error:
            note, unread = f"The base cannot be compared with: {error}", not isinstance(error, NotConfiguredError)
    now = repository.folder(sides.head)
    before = repository.folder(base.side) if base is not None else now
    changes = affected.relative_to(repository.changes(sides.base, sides.head), now, before if before != now else None)
    reasons = affected.affected(changes, _view(base) if base is not None else None, _view(head))
    if before != now:
        reasons = dict.fromkeys(head.config.models, f"the project's folder was {before or 'the root'}")
    if changes:
        # Only a manifest tells all that a build reads: modules that are imported by a computed name, data.
        unknown = {name for name in head.config.models if head.manifests.get(name) is None}
        reasons = {**dict.fromkeys(unknown, "it has no manifest yet"), **reasons}
    chosen = _chosen(head, names, everything, affected.loading(reasons, head.config))
    return Selection(Projects(base, head), changes, chosen, bool(names), [note] if note else [], unread)


def _result(repository: Repository, sides: Sides, selection: Selection, judged: Sequence[ModelResult]) -> Result:
    base, head = selection.projects
    # Sets and places: there may be thousands of models.
    chosen, order = set(selection.chosen), {name: place for place, name in enumerate(head.config.models)}
    others = [] if selection.named else [name for name in order if name not in chosen]
    results = sorted([*judged, *(_unaffected(head, base, name) for name in others)], key=lambda one: order[one.name])
    if selection.unread:
        results = [_unchecked(result) for result in results]
    removed = [] if selection.named else _removed(head, base)
    models, shared = _said_once([*results, *removed])
    return Result(
        base=sides.base.label if sides.base is not None else None,
        head=sides.head.label,
        models=tuple(relocated(result, repository.folder(sides.head)) for result in models),
        notes=(*sides.notes, *selection.notes, *shared, *_about_ignores(head, results)),
    )


def _said_once(models: Sequence[ModelResult]) -> tuple[list[ModelResult], list[str]]:
    """The models without the notes that several have word for word, and those notes with all their models."""
    having: dict[str, list[str]] = {}
    for model in models:
        for note in model.notes:
            having.setdefault(note, []).append(model.name)
    shared = {note: names for note, names in having.items() if len(names) > 1}
    left = [
        msgspec.structs.replace(model, notes=tuple(note for note in model.notes if note not in shared))
        for model in models
    ]
    return left, [f"{_few(names)}: {note}" for note, names in shared.items()]


def _few(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _unchecked(result: ModelResult) -> ModelResult:
    """The verdict where what was before cannot be read: a break that was found stays one."""
    return result if result.verdict == "breaks" else msgspec.structs.replace(result, verdict="unchecked")


def _view(project: Project) -> affected.View:
    return affected.View(project.config, project.read, {name: project.trace(name) for name in project.manifests})


def _chosen(project: Project, names: Sequence[str], everything: bool, reasons: Mapping[str, str]) -> list[str]:
    named = project.named(names) if names else []
    return [name for name in project.config.models if name in named or everything or (not names and name in reasons)]


def _unaffected(project: Project, before: Project | None, name: str) -> ModelResult:
    """A model that no changed file belongs to; only a missing manifest is still said."""
    if project.manifests.get(name) is not None:
        return ModelResult(name, "unaffected")
    from restore_guard.rules.shared.facts import Facts

    known = before is not None and name in before.config.models and before.manifests.get(name) is None
    found = rules.about(Facts(name, project.manifest_file(name), project.config, missing=True, known=known))
    verdict: Verdict = "breaks" if any(finding.fails for finding in found) else "unaffected"
    return ModelResult(name, verdict, manifest="missing", findings=tuple(found))


def _removed(project: Project, before: Project | None) -> list[ModelResult]:
    """Models of the base that the head no longer configures."""
    gone = [name for name in (before.config.models if before else ()) if name not in project.config.models]
    if before is None or not gone:
        return []
    from restore_guard.rules.shared.facts import Facts, Removed

    results = []
    for name in gone:
        file = before.manifest_file(name)
        removed = Removed(project.file, left=project.read(file) is not None)
        found = rules.about(Facts(name, file, project.config, removed=removed))
        verdict: Verdict = "breaks" if any(finding.fails for finding in found) else "unaffected"
        results.append(ModelResult(name, verdict, manifest="missing", findings=tuple(found)))
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


def relocated(result: ModelResult, prefix: str) -> ModelResult:
    """Files relative to the repository, where the project is a folder of it."""
    if not prefix:
        return result
    moved = tuple(_moved(finding, prefix) for finding in result.findings)
    table = tuple(
        msgspec.structs.replace(row, saved=_seen(row.saved, prefix), now=_seen(row.now, prefix)) for row in result.table
    )
    return msgspec.structs.replace(result, findings=moved, table=table)


def _seen(seen: Seen | None, prefix: str) -> Seen | None:
    if seen is None or not seen.file:
        return seen
    return msgspec.structs.replace(seen, file=posixpath.join(prefix, seen.file))


def _moved(finding: Finding, prefix: str) -> Finding:
    suggestion = finding.suggestion
    if suggestion is not None:
        suggestion = msgspec.structs.replace(suggestion, file=posixpath.join(prefix, suggestion.file))
    file = posixpath.join(prefix, finding.file) if finding.file else finding.file
    return msgspec.structs.replace(finding, file=file, suggestion=suggestion)
