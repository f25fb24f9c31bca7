"""The verdicts on the models that a change may have touched: built on both sides, compared, judged."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from restore_guard.build import Build, Witness
from restore_guard.building import revivals, witnesses
from restore_guard.building.workshop import Order, Workshop, choose_pythons
from restore_guard.change import affected
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.change.pins_moved import Move, moves
from restore_guard.change.repository import Change, Repository
from restore_guard.config import WitnessMode, without_expired
from restore_guard.judging import judge
from restore_guard.judging.case import Case, is_worth_a_witness, obstacle, paths_of
from restore_guard.judging.evidence import rivals
from restore_guard.promise import manifest, releases
from restore_guard.promise.project import Project
from restore_guard.result import ModelResult


def find(
    repository: Repository,
    project: Project,
    before: Project | None,
    chosen: Sequence[str],
    changes: Sequence[Change],
    witness: WitnessMode,
    environ: Mapping[str, str],
    progress: Callable[[str], None],
) -> list[ModelResult]:
    """Builds both sides of the chosen models, compares and judges them."""
    sides = {"head": project} | ({"base": before} if before is not None else {})
    released = releases.read(repository, project.config.releases, chosen)
    pythons = choose_pythons(
        repository, {kind: side.side for kind, side in sides.items()}, project.config, environ, progress
    )
    restores = promised_paths(project, before, chosen)
    with Workshop(repository, environ, progress) as workshop:
        orders = {
            order.id: order for kind, side in sides.items() for order in _orders(kind, pythons[kind], side, restores)
        }
        built = workshop.build(list(orders.values()))
        graph = affected.ImportGraph(project.read, ["", *project.config.pythonpath])
        moves = _moves(project, before, changes)
        cases = {
            name: _case(
                project, before, name, changes, built[f"head:{name}"], built.get(f"base:{name}"), released, graph, moves
            )
            for name in chosen
        }
        cases = _revived(cases, orders, workshop)
        cases = _witnessed(cases, orders, workshop, witness)
    return [judge.judge(case) for case in cases.values()]


def _orders(kind: str, python: Path, side: Project, restores: Mapping[str, tuple[str, ...]]) -> Iterator[Order]:
    """The builds of one side, good for judging what `restores` says of each model."""
    for name, paths in restores.items():
        if name in side.config.models:
            yield Order(f"{kind}:{name}", python, side.side, side.config, name, paths)


def promised_paths(project: Project, before: Project | None, chosen: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """{model: the restore paths that either side promises}, so that both are built alike."""
    promised: dict[str, tuple[str, ...]] = {}
    for name in chosen:
        for side in filter(None, (project, before)):
            found, model = side.manifest(name), side.config.models.get(name)
            kept = found.restores if isinstance(found, manifest.Manifest) else ()
            promised[name] = tuple({*promised.get(name, ()), *kept, *((model and model.restores) or ())})
    return promised


def _case(
    project: Project,
    before: Project | None,
    name: str,
    changes: Sequence[Change],
    head: Build,
    base: Build | None,
    released: releases.Releases,
    graph: affected.ImportGraph,
    moves: Sequence[Move],
) -> Case:
    return Case(
        name=name,
        config=without_expired(project.config, datetime.date.today()),
        manifest_file=project.manifest_file(name),
        head_build=head,
        base_build=base,
        head_manifest=project.manifest(name),
        base_manifest=before.manifest(name) if before and name in before.config.models else None,
        diff=_diff(project, before, changes, _sources(project, before, name, head, base)),
        # What `affected` watches even if the manifest does not list it.
        covered=graph.closure(project.config.models[name].builder.partition(":")[0]).files,
        releases=released.promises.get(name, ()),
        unread_releases=released.unread.get(name, ()),
        moves=tuple(moves),
    )


def _moves(project: Project, before: Project | None, changes: Sequence[Change]) -> list[Move]:
    """The packages that the change asks for in another version."""
    return [
        move
        for change in changes
        if affected.is_environment_file(change.path) or change.path.rpartition("/")[2] == "pyproject.toml"
        for move in moves(
            change.path,
            before.read(change.old_path or change.path) if before is not None else None,
            project.read(change.path),
        )
    ]


def _revived(cases: Mapping[str, Case], orders: Mapping[str, Order], workshop: Workshop) -> dict[str, Case]:
    """The cases with what either side's code makes of the configurations in old `.keras` files."""
    asked: list[revivals.Question] = []
    for name, case in cases.items():
        for kind, build in (("head", case.head_build), ("base", case.base_build)):
            if build is not None:
                asked += revivals.questions(orders[f"{kind}:{name}"], build.signature, case.old_signatures)
    known = revivals.ask(workshop, asked)
    return {
        name: dataclasses.replace(
            case, head_revivals=known.get(f"head:{name}", {}), base_revivals=known.get(f"base:{name}", {})
        )
        for name, case in cases.items()
    }


def _witnessed(
    cases: Mapping[str, Case],
    orders: Mapping[str, Order],
    workshop: Workshop,
    mode: WitnessMode,
) -> dict[str, Case]:
    """The cases with what real checkpoints show, where that is wanted and can be tried."""
    trials, seen = [], {}
    for name, case in cases.items():
        why_not = obstacle(case)
        if why_not is None and (mode == "always" or (mode == "auto" and is_worth_a_witness(case))):
            alike = rivals(case.base_build.signature, case.head_build.signature, case.diff)
            trials.append(witnesses.Trial(name, orders[f"base:{name}"], orders[f"head:{name}"], paths_of(case), alike))
        elif why_not is not None and mode == "always":
            seen[name] = Witness(failures=(why_not,))
    if trials:
        seen |= witnesses.run(workshop, trials)
    return {
        name: dataclasses.replace(case, witness=seen.get(name), must_be_witnessed=mode == "always")
        for name, case in cases.items()
    }


def _sources(project: Project, before: Project | None, name: str, head: Build, base: Build | None) -> frozenset[str]:
    """Every file that either side's model is made of."""
    files = set(head.signature.sources if head.signature else ())
    files.update(base.signature.sources if base and base.signature else ())
    for side in (project, before):
        files |= side.sources(name) if side else frozenset()
    return frozenset(files)


def _diff(project: Project, before: Project | None, changes: Sequence[Change], sources: Collection[str]) -> Diff:
    """The changed files of one model, read on both sides."""
    files = {}
    for change in changes:
        old = change.old_path or change.path
        if old not in sources and change.path not in sources:
            continue
        new_content = project.read(change.path) if change.status != "D" else None
        old_content = before.read(old) if before and change.status != "A" else None
        files[old] = FileDiff(change.path if new_content is not None else None, _text(old_content), _text(new_content))
    return Diff(files)


def _text(content: bytes | None) -> str:
    return content.decode(errors="replace") if content is not None else ""
