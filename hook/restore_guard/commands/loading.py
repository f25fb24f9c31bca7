"""The other models that checkpoints are restored into (`loads`): built beside the model that is judged, and tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from restore_guard.build import Build, Witness
from restore_guard.building import witnesses
from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.change.diffs import Diff
from restore_guard.commands.suspects import targets
from restore_guard.config import WitnessMode
from restore_guard.judging.case import Case, Target, base_signature, paths_of, promised, readable, saved_signature
from restore_guard.judging.evidence import parameters
from restore_guard.judging.loading import is_unchanged, shared
from restore_guard.promise.project import Projects
from restore_guard.restore_paths import same_promise


def with_targets(case: Case, projects: Projects, built: Mapping[str, Build], diff: Callable[[str, str], Diff]) -> Case:
    """The case with all that its model's checkpoints are restored into.

    Args:
        built: {"head:" or "base:" and a model: its build}.
        diff: of the files of two models.
    """
    others = targets(projects, case.name)
    return replace(case, targets=tuple(_target(other, projects, built, diff(case.name, other)) for other in others))


def _target(name: str, projects: Projects, built: Mapping[str, Build], diff: Diff) -> Target:
    base, head = projects
    build = built[f"head:{name}"]
    was_there = base is not None and name in base.config.models
    promise = readable(base.manifest(name)) if base is not None and was_there else None
    restores = promised(head.config, name, promise, build.signature) if build.signature else ()
    # What it was at the base: as it was promised, else as it is built there.
    old = built.get(f"base:{name}") if was_there else None
    before = promise.signature if promise is not None else old.signature if old is not None else None
    return Target(name, build, before, restores, diff)


def with_witnesses(
    cases: Mapping[str, Case], orders: Mapping[str, BuildOrder], workshop: Workshop, mode: WitnessMode
) -> dict[str, Case]:
    """The cases with what really restoring their checkpoints into the other models shows, where it can be tried."""
    trials = [] if mode == "never" else [trial for case in cases.values() for trial in _trials(case, orders, mode)]
    seen = witnesses.run(workshop, trials)
    return {
        name: replace(case, targets=tuple(_seen(case, target, seen) for target in case.targets))
        for name, case in cases.items()
    }


def _seen(case: Case, target: Target, seen: Mapping[str, Witness]) -> Target:
    return replace(
        target, old=seen.get(_trial_name("old", case, target)), new=seen.get(_trial_name("new", case, target))
    )


def _trial_name(age: str, case: Case, target: Target) -> str:
    return f"{age}:{case.name}:{target.name}"


def _trials(case: Case, orders: Mapping[str, BuildOrder], mode: WitnessMode) -> list[witnesses.WitnessTrial]:
    trials = []
    for target in case.targets:
        head, model, base = case.head_build.signature, target.build.signature, base_signature(case)
        if head is None or model is None or (mode == "auto" and is_unchanged(case, target)):
            continue
        paths = shared(paths_of(case), target.restores, model)
        saved = saved_signature(readable(case.base_manifest), base, paths)
        ages = {
            # What the base's code does not build cannot be saved.
            "old": base if base is not None and saved is base else None,
            "new": head if saved is None or not same_promise(saved, head, paths) else None,
        }
        for age, signature in ages.items():
            if signature is None or not paths:
                continue
            if mode == "always" or max(parameters(signature), parameters(model)) <= case.config.witness:
                side = "base" if age == "old" else "head"
                saver, loader = orders[f"{side}:{case.name}"], orders[f"head:{target.name}"]
                trials.append(witnesses.WitnessTrial(_trial_name(age, case, target), saver, loader, paths))
    return trials
