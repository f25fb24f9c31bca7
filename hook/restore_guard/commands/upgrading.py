"""Rehearses a move to other versions before it is made: what would every checkpoint saved today do after it?

The files on disk are built twice, by today's Python and by an environment with the other versions; what one saves,
the other restores. Nothing is changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from packaging.requirements import Requirement
from packaging.version import Version

from restore_guard.building import pythons
from restore_guard.building.pythons import Pythons, Today
from restore_guard.building.workshop import Workshop
from restore_guard.change.run import Run
from restore_guard.commands.cases import cases_by
from restore_guard.commands.check import relocated
from restore_guard.commands.rehearsed_migrations import with_migrations
from restore_guard.commands.suspects import Suspects
from restore_guard.environments import overridden
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.judging import judge
from restore_guard.promise.project import Project, Projects, load
from restore_guard.rehearsal import Moved, Rehearsal, Upgrade
from restore_guard.result import Finding, ModelResult, worst

DECIDING = (*sorted(overridden.FLAVOURS), "keras", "tf-keras")
"""The packages by which one move is further than another."""

NOT_ASKED = ("manifest-stale", "manifest-missing", "framework-changed")
"""Rules about what every move changes: the manifests are those of today."""

_NONE = Version("0")


def upgrade(run: Run, moves: Sequence[Sequence[str]], *, names: Sequence[str] = ()) -> Upgrade:
    """What checkpoints saved today would do after each of several moves.

    Args:
        moves: the requirements of each, such as ["tensorflow==2.21.0", "keras==3.15.1"].
        names: models; all for none.

    Raises:
        UsageError: no move, a requirement that is none, wrong configuration.
        UncheckedError: there is no Python to start from.
    """
    asked = [overridden.requirements(texts) for texts in moves if texts]
    if not asked:
        raise UsageError('Name the versions to move to, such as "tensorflow==2.21.0".')
    project = load(run.repository, run.repository.worktree())
    chosen = project.named(names)
    start = pythons.today(run, project.config, project.side)
    with Workshop(run, carry=project.config.carry) as workshop:
        rehearsed = tuple(_rehearse(run, workshop, project, chosen, start, wanted) for wanted in asked)
    return Upgrade(_deciding(start.installed), rehearsed, _furthest(rehearsed))


def _rehearse(
    run: Run, workshop: Workshop, project: Project, names: Sequence[str], start: Today, wanted: Sequence[Requirement]
) -> Rehearsal:
    texts = tuple(map(str, wanted))
    try:
        python, found = pythons.moved(run, start, wanted)
        after = _after(project, " ".join(texts))
        suspects = Suspects(Projects(project, after), (), names)
        builders = Pythons({project.side: start.python, after.side: python}, apart=True)
        cases, orders = cases_by(run, suspects, builders, "auto", workshop)
    except UncheckedError as error:
        return Rehearsal(texts, failure=str(error))
    judged = {name: judge.judge(case) for name, case in cases.items()}
    judged = with_migrations(judged, cases, orders, workshop)
    return Rehearsal(
        texts,
        worst((model.verdict for model in judged.values()), none="unchecked"),
        _deciding(found),
        tuple(_moved(start.installed, found)),
        tuple(
            relocated(_advised(model, project.manifest_file(name)), run.repository.project)
            for name, model in judged.items()
        ),
    )


def _after(project: Project, label: str) -> Project:
    """The same files, as what they are built with after the move."""
    quiet = {**project.config.rules, **dict.fromkeys(NOT_ASKED, "off")}
    return dataclasses.replace(
        project,
        side=msgspec.structs.replace(project.side, label=label),
        config=msgspec.structs.replace(project.config, rules=quiet),
    )


def _advised(model: ModelResult, manifest: str) -> ModelResult:
    """The result as it is told before a move is made: nothing to accept yet, and what is to be done about a loss."""
    findings = tuple(_with_advice(model, finding, manifest) for finding in model.findings)
    return msgspec.structs.replace(model, manifest="current", findings=findings)


def _with_advice(model: ModelResult, finding: Finding, manifest: str) -> Finding:
    if finding.status != "new" or not finding.restores:
        return msgspec.structs.replace(finding, accept="")
    whole = [name for name, path in model.restores.items() if path.outcome == "restores" and not path.misplaced]
    lost = [path.migration for name, path in model.restores.items() if name in finding.restores]
    ways = [f"before the move, save by {whole[0]}, which restores"] if whole else []
    if lost and all(migrated is not None and migrated.outcome == "restores" for migrated in lost):
        ways.append("after it, `restore-guard update --migrate REASON` and `restore-guard migrate` carry them across")
    fix = "; or ".join(ways)
    # Where no line causes it, the manifest is named, which need not be there.
    file, line = (finding.file, finding.line) if finding.file != manifest else ("", 0)
    told = f"{fix[:1].upper()}{fix[1:]}." if fix else ""
    return msgspec.structs.replace(finding, accept="", fix=told, file=file, line=line)


def _deciding(installed: Mapping[str, str]) -> dict[str, str]:
    return {name: installed[name] for name in DECIDING if name in installed}


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Moved]:
    """What differs; a package that is only today's has no part in the move."""
    for name, version in sorted(after.items()):
        if before.get(name) != version:
            yield Moved(name, before.get(name), version)


def _furthest(moves: Sequence[Rehearsal]) -> tuple[str, ...] | None:
    """The move to the newest TensorFlow, of those the newest Keras, that loses nothing; the first of equals."""
    free = [move for move in moves if move.is_free]
    return max(free, key=lambda move: _rank(move.versions)).requirements if free else None


def _rank(versions: Mapping[str, str]) -> list[Version]:
    """Of TensorFlow, whichever package it comes from, then of what else decides."""
    flavours = [Version(versions[name]) for name in DECIDING if name in overridden.FLAVOURS and name in versions]
    return [max(flavours, default=_NONE), *(Version(versions.get(name, "0")) for name in ("keras", "tf-keras"))]
