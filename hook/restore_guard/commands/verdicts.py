"""The verdicts on the models that a change may have touched: built on both sides, compared, judged."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from restore_guard.build import Build, Witness
from restore_guard.building import pythons, revivals, witnesses
from restore_guard.building.isolation import HASH_SEED
from restore_guard.building.pythons import Pythons
from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.change import affected, entry, environment_files
from restore_guard.change.chances import chances
from restore_guard.change.diffs import Diff, FileDiff, Place
from restore_guard.change.pins_moved import Move, moves, settled
from restore_guard.change.run import Run
from restore_guard.change.states import Change
from restore_guard.commands import loading, repairing
from restore_guard.commands.trying import try_migrations
from restore_guard.config import WitnessMode, without_expired
from restore_guard.judging import judge
from restore_guard.judging.case import Case, is_small, not_worth_a_witness, obstacle, paths_of
from restore_guard.judging.draws import differ, is_suspicious
from restore_guard.judging.rivals import rivals
from restore_guard.promise import manifest, releases
from restore_guard.promise.project import Project, Projects
from restore_guard.restore_paths import restore_unchanged
from restore_guard.result import ModelResult

SECOND_HASH_SEEDS = ("1", "2")
"""Two names in a set have the same order by one of two seeds as often as not."""

Cases = Mapping[str, Case]
"""{model: what is known of it}."""


@dataclass(frozen=True)
class Suspects:
    """The models that a change may have touched.

    Attributes:
        projects: the project on both sides.
        changes: the files that differ, relative to the project.
        names: the models, all configured at the head.
    """

    projects: Projects
    changes: Sequence[Change]
    names: Sequence[str]

    @cached_property
    def restores(self) -> dict[str, tuple[str, ...]]:
        """{model: the restore paths that either side promises}, so that both are built alike.

        Also of models that checkpoints of these are restored into.
        """
        others = (other for name in self.names for other in loading.targets(self.projects, name))
        return promised_paths(self.projects, list(dict.fromkeys([*self.names, *others])))

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """The packages that the change asks for in another version; none without a base that could ask."""
        base, head = self.projects
        if base is None:
            return ()
        return settled(
            move
            for change in self.changes
            if environment_files.differs(change, base.read, head.read)
            for move in moves(change.path, base.read(change.old_path or change.path), head.read(change.path))
        )

    def moves_of(self, names: Sequence[str]) -> tuple[Move, ...]:
        """The moves that matter to models: nobody has a checkpoint of one that the base does not name."""
        base = self.projects.base
        return self.moves if base is not None and not base.config.models.keys().isdisjoint(names) else ()

    def sources(self, name: str, builds: Sequence[Build | None]) -> frozenset[str]:
        """Every file that either side's model is made of, as its builds and its manifests tell."""
        known = [frozenset(build.signature.sources) for build in builds if build is not None and build.signature]
        return frozenset().union(*known, *(side.sources(name) for side in self.projects.known))

    def diff(self, name: str, sources: Collection[str]) -> Diff:
        """The changed files of one model, read on both sides, and what changed in its entry of the configuration."""
        base, head = self.projects
        files = {}
        for change in self.changes:
            old = change.old_path or change.path
            if old not in sources and change.path not in sources:
                continue
            new_content = head.read(change.path) if change.status != "D" else None
            old_content = base.read(old) if base is not None and change.status != "A" else None
            new_path = change.path if new_content is not None else None
            files[old] = FileDiff(new_path, _text(old_content), _text(new_content))
        module, _, function = head.config.models[name].builder.partition(":")
        stem = module.replace(".", "/")
        builder = next((path for path in sorted(sources) if path.endswith((f"{stem}.py", f"{stem}/__init__.py"))), "")
        old, new = (_text(side.read(head.file)) if side is not None else "" for side in (base, head))
        return Diff(
            files,
            read=lambda path: _text(head.read(path)),
            entry=entry.changed(head.file, old, new, name) if base is not None else {},
            builder=(builder, function),
        )


def judge_suspects(run: Run, suspects: Suspects, witness: WitnessMode) -> list[ModelResult]:
    """Builds both sides of the models, asks what only TensorFlow knows, and judges; errors as `known_cases`."""
    with _workshop(run, suspects) as workshop:
        cases, orders = _known_cases(run, suspects, witness, workshop)
        about = suspects.projects, suspects.changes
        return [
            repairing.with_suggestions(*about, case, judge.judge(case), orders, workshop) for case in cases.values()
        ]


def known_cases(run: Run, suspects: Suspects, witness: WitnessMode) -> Cases:
    """All that builds of both sides, and real checkpoints, show of the models.

    Raises:
        UncheckedError: no Python to build with, or git cannot write a side's files.
    """
    with _workshop(run, suspects) as workshop:
        return _known_cases(run, suspects, witness, workshop)[0]


def _workshop(run: Run, suspects: Suspects, hash_seed: str = HASH_SEED) -> Workshop:
    """Where both sides are built: with the ignored files that the head's configuration carries."""
    return Workshop(run, hash_seed, suspects.projects.head.config.carry)


def _known_cases(
    run: Run, suspects: Suspects, witness: WitnessMode, workshop: Workshop
) -> tuple[Cases, dict[str, BuildOrder]]:
    """The cases, and the builds of either side."""
    projects = suspects.projects
    sides = [project.side for project in projects.known]
    builders = pythons.of_change(run, projects.head.config, sides, suspects.moves_of(suspects.names))
    return cases_by(run, suspects, builders, witness, workshop)


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
    cases = _cases(suspects, built, released, builders)
    cases = _with_targets(cases, suspects, built)
    cases = _with_revivals(cases, orders, workshop)
    cases = _with_witnesses(cases, orders, workshop, witness)
    cases = loading.with_witnesses(cases, orders, workshop, witness)
    cases = _with_migrations(cases, orders, workshop, witness)
    return _with_second_builds(cases, orders, run, suspects), orders


def promised_paths(projects: Projects, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """{model: the restore paths that either side promises}."""
    promised: dict[str, tuple[str, ...]] = {}
    for name in names:
        for side in (projects.head, projects.base):
            if side is not None:
                found, model = side.manifest(name), side.config.models.get(name)
                kept = found.restores if isinstance(found, manifest.Manifest) else ()
                promised[name] = tuple({*promised.get(name, ()), *kept, *((model and model.restores) or ())})
    return promised


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
    suspects: Suspects, built: Mapping[str, Build], released: releases.Releases, builders: Pythons
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
            base_manifest=base.manifest(name) if base is not None and name in base.config.models else None,
            diff=suspects.diff(name, suspects.sources(name, [head_build, base_build])),
            # What `affected` watches even if the manifest does not list it.
            covered=graph.closure(head.config.models[name].builder.partition(":")[0]).paths,
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


def _with_targets(cases: Cases, suspects: Suspects, built: Mapping[str, Build]) -> dict[str, Case]:
    """The cases with the models that their checkpoints are restored into."""

    def diff(name: str, other: str) -> Diff:
        files: frozenset[str] = frozenset()
        for model in (name, other):
            files |= suspects.sources(model, [built.get(f"head:{model}"), built.get(f"base:{model}")])
        return suspects.diff(other, files)

    return {name: loading.with_targets(case, suspects.projects, built, diff) for name, case in cases.items()}


def _with_revivals(cases: Cases, orders: Mapping[str, BuildOrder], workshop: Workshop) -> dict[str, Case]:
    """The cases with what either side's code makes of the configurations in old `.keras` files."""
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
    saved, model, paths = case.base, case.head, paths_of(case)
    return witnesses.WitnessTrial(
        case.name,
        base,
        head,
        paths,
        package=model.archive.package if model.archive else "keras",
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
        with _workshop(run, suspects, hash_seed) as workshop:
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
    cases: Cases, orders: Mapping[str, BuildOrder], workshop: Workshop, mode: WitnessMode
) -> dict[str, Case]:
    """The cases with what really migrating a checkpoint of the base shows, where it can be tried."""
    tried = {
        name: case
        for name, case in cases.items()
        if obstacle(case) is None and (mode == "always" or (mode == "auto" and is_small(case)))
    }
    return {**cases, **try_migrations(tried, orders, workshop)}


def _text(content: bytes | None) -> str:
    return content.decode(errors="replace") if content is not None else ""
