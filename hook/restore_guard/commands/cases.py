"""What is known of each model that a change may have touched: by builds and real checkpoints of both sides."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from restore_guard.build import Build, Witness
from restore_guard.building import pythons, revivals, witnesses
from restore_guard.building.pythons import Pythons
from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.change import affected
from restore_guard.change.chances import chances
from restore_guard.change.diffs import Diff, Place
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import loading
from restore_guard.commands.suspects import Suspects
from restore_guard.commands.trying import try_edited, try_migrations
from restore_guard.config import WitnessMode, without_expired
from restore_guard.judging.case import Case, is_small, not_worth_a_witness, obstacle, paths_of
from restore_guard.judging.draws import differ, is_suspicious
from restore_guard.judging.edited import are_edited
from restore_guard.judging.rivals import rivals
from restore_guard.promise import history, releases
from restore_guard.promise.manifest import Earlier
from restore_guard.promise.project import Project
from restore_guard.restore_paths import is_of_weights_alone, restore_unchanged

SECOND_HASH_SEEDS = ("1", "2")
"""Two names in a set have the same order by one of two seeds as often as not."""

Cases = Mapping[str, Case]
"""{model: what is known of it}."""


def cases_by(
    run: Run, suspects: Suspects, builders: Pythons, witness: WitnessMode, workshop: Workshop
) -> tuple[Cases, dict[str, BuildOrder]]:
    """The cases as these Pythons show them, and the builds of either side: "base:NAME" and "head:NAME".

    Raises:
        UncheckedError: git cannot write a side's files.
    """
    released = releases.read(run.repository, suspects.projects.head.config.releases, suspects.names)
    orders = _orders(suspects, builders)
    built = workshop.build(list(orders.values()))
    cases = _cases(run, suspects, built, released, builders)
    cases = _with_targets(cases, suspects, built)
    cases = _with_revivals(cases, orders, workshop)
    cases = _with_witnesses(cases, orders, workshop, witness)
    cases = loading.with_witnesses(cases, orders, workshop, witness)
    cases = _with_migrations(cases, orders, workshop, witness, run.repository)
    return _with_second_builds(cases, orders, run, suspects), orders


def _orders(suspects: Suspects, builders: Pythons) -> dict[str, BuildOrder]:
    """{number: a build}: of the head, and of the base where it has the model."""
    projects = suspects.projects

    def orders() -> Iterator[BuildOrder]:
        for kind, project in (("head", projects.head), ("base", projects.base)):
            for name, paths in suspects.restores.items():
                if project is not None and name in project.config.models:
                    python = builders.of[project.side]
                    yield BuildOrder(f"{kind}:{name}", python, project.side, project.config, name, paths)

    return {order.id: order for order in orders()}


def _cases(
    run: Run, suspects: Suspects, built: Mapping[str, Build], released: releases.Releases, builders: Pythons
) -> dict[str, Case]:
    base, head = suspects.projects
    graph = affected.ImportGraph(head.read, head.config.roots)
    config = without_expired(head.config, datetime.date.today())
    asked = pythons.asked(head.read)
    cases = {}
    for name in suspects.names:
        head_build, base_build = built[f"head:{name}"], built.get(f"base:{name}")
        cases[name] = Case(
            name=name,
            config=config,
            manifest_file=head.manifest_file(name),
            head_build=head_build,
            base_build=base_build,
            head_manifest=head.manifest(name),
            head_migrations=head.migrations(name),
            base_migrations=base.migrations(name) if base is not None else None,
            base_manifest=base.manifest(name) if base is not None and name in base.config.models else None,
            diff=suspects.diff(name, suspects.sources(name, [head_build, base_build])),
            # What `affected` watches even if the manifest does not list it.
            covered=graph.closure(head.config.models[name].builder.partition(":")[0]).paths,
            earlier=_earlier(run, suspects, name),
            releases=released.promises.get(name, ()),
            unread_releases=released.unread.get(name, ()),
            moves=suspects.moves_of([name]),
            apart=builders.apart,
            one_python=len({*builders.of.values()}) == 1,
            why_shared=builders.why_shared,
            asked=asked,
            chances=_chances(head, head_build),
        )
    return cases


def _earlier(run: Run, suspects: Suspects, name: str) -> tuple[Earlier, ...]:
    """The promises of older epochs where the change edits migrations: git's history is read for nothing else."""
    base, head = suspects.projects
    if base is None or not are_edited(base.migrations(name), head.migrations(name)):
        return ()
    kept = history.last_of_epochs(history.read(run.repository, base.manifest_file(name)))
    return tuple(Earlier(each.title, each.manifest, each.commits[0].sha) for each in reversed(kept))


def _with_targets(cases: Cases, suspects: Suspects, built: Mapping[str, Build]) -> dict[str, Case]:
    """The cases with the models that their checkpoints are restored into."""

    def diff(name: str, other: str) -> Diff:
        files: frozenset[str] = frozenset()
        for model in (name, other):
            files |= suspects.sources(model, [built.get(f"head:{model}"), built.get(f"base:{model}")])
        return suspects.diff(other, files)

    return {name: loading.with_targets(case, suspects.projects, built, diff) for name, case in cases.items()}


def _with_revivals(cases: Cases, orders: Mapping[str, BuildOrder], workshop: Workshop) -> dict[str, Case]:
    """The cases with what either side's code makes of the configurations in old files of whole models."""
    asked: list[revivals.RevivalQuestion] = []
    for name, case in cases.items():
        for kind, build in (("head", case.head_build), ("base", case.base_build)):
            if build is not None:
                asked += revivals.questions(orders[f"{kind}:{name}"], build.signature, case.old_signatures)
    known = revivals.ask(workshop, asked)
    return {
        name: replace(case, head_revivals=known.get(f"head:{name}", {}), base_revivals=known.get(f"base:{name}", {}))
        for name, case in cases.items()
    }


def _with_witnesses(
    cases: Cases, orders: Mapping[str, BuildOrder], workshop: Workshop, mode: WitnessMode
) -> dict[str, Case]:
    """The cases with what real checkpoints show, where that is wanted and can be tried."""
    trials, seen = [], {}
    why_not: dict[str, str | None] = {}
    for name, case in cases.items():
        why = obstacle(case)
        if why is not None and mode == "always":
            seen[name] = Witness(failures=(why,))
        elif why is None and mode != "always":
            why = "no witness was asked for" if mode == "never" else not_worth_a_witness(case)
        why_not[name] = why
        if why is None:
            trials.append(_trial(case, orders[f"base:{name}"], orders[f"head:{name}"]))
    if trials:
        seen |= witnesses.run(workshop, trials)
    return {
        name: replace(case, witness=seen.get(name), unwitnessed=why_not[name], must_be_witnessed=mode == "always")
        for name, case in cases.items()
    }


def _trial(case: Case, base: BuildOrder, head: BuildOrder) -> witnesses.WitnessTrial:
    saved, model = case.base, case.head
    paths = [path for path in paths_of(case) if not is_of_weights_alone(path, saved, model)]
    return witnesses.WitnessTrial(
        case.name,
        base,
        head,
        paths,
        package=model.package,
        rivals=rivals(saved, model, case.diff),
        unsure=frozenset(path for path in paths if not restore_unchanged(path, saved).certain),
    )


def _with_second_builds(
    cases: Cases, orders: Mapping[str, BuildOrder], run: Run, suspects: Suspects
) -> dict[str, Case]:
    """The cases with another build of the head, where one is suspected to differ and really does.

    A Python that is started anew draws its own numbers, and by another hash seed sets have another order.
    """
    known = dict(cases)
    for hash_seed in SECOND_HASH_SEEDS:
        asked = [name for name, case in known.items() if case.second is None and is_suspicious(case)]
        if not asked:
            break
        with Workshop(run, hash_seed, suspects.projects.head.config.carry) as workshop:
            built = workshop.build([orders[f"head:{name}"] for name in asked])
        for name in asked:
            case, second = known[name], built[f"head:{name}"].signature
            if second is not None and differ(case.head, second, paths_of(case)):
                known[name] = replace(case, second=second)
    return known


def _chances(head: Project, build: Build) -> tuple[Place, ...]:
    """The lines of a build's own files that leave something to chance."""
    files = [path for path in (build.signature.sources if build.signature else ()) if path.endswith(".py")]
    return tuple(Place(path, line) for path in files for line in chances(head.read(path) or b""))


def _with_migrations(
    cases: Cases, orders: Mapping[str, BuildOrder], workshop: Workshop, mode: WitnessMode, repository: Repository
) -> dict[str, Case]:
    """The cases with what really migrating old checkpoints shows, where it can be tried."""
    tried = {
        name: case
        for name, case in cases.items()
        if obstacle(case) is None and (mode == "always" or (mode == "auto" and is_small(case)))
    }
    return {**cases, **try_edited(try_migrations(tried, orders, workshop), orders, workshop, repository)}
