"""Witnesses: real checkpoints, really saved by one build of a model and really restored by another.

The probe does it; here its word is asked for, checked and set against the simulation, which it outranks.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from restore_guard import isolation
from restore_guard.building import Building, Order, Task
from restore_guard.builds import Answer
from restore_guard.comparison import Comparison
from restore_guard.restore_paths import Failure, Outcome
from restore_guard.result import Behaviour
from restore_guard.signature import Signature


class Observation(msgspec.Struct, frozen=True):
    """What a real restore did; see `probe.trial.restore`."""

    outcome: Literal["restores", "partial", "raises"]
    error: str | None
    assigned: dict[str, str]
    initial: tuple[str, ...]
    unused: tuple[str, ...]
    changed_otherwise: tuple[str, ...]
    behaviour: Behaviour | None = None


@dataclass(frozen=True)
class Trial:
    """A model to try.

    Attributes:
        base, head: the builds of either side.
        paths: the restore paths to save and load by.
    """

    name: str
    base: Order
    head: Order
    paths: Sequence[str]


@dataclass(frozen=True)
class Witness:
    """What came of a trial.

    Attributes:
        observations: {restore path: what was seen}; a path that could not be tried is missing.
        failures: why paths, or all of them, could not be tried.
    """

    observations: Mapping[str, Observation] = field(default_factory=dict)
    failures: tuple[str, ...] = ()

    @property
    def behaviour(self) -> Behaviour | None:
        """Whether both sides compute the same, by the first path that restored everything."""
        return next((seen.behaviour for seen in self.observations.values() if seen.behaviour is not None), None)


def run(building: Building, trials: Sequence[Trial]) -> dict[str, Witness]:
    """Saves in the base's Python and restores in the head's."""
    folders = {trial.name: str(building.folder()) for trial in trials}
    saved = building.do([_saving(trial, folders[trial.name]) for trial in trials])
    tasks, failures = [], {trial.name: [] for trial in trials}
    for trial in trials:
        files, why = _files(saved[f"save:{trial.name}"])
        failures[trial.name] += why
        tasks += [_restoring(trial, path, file, folders[trial.name]) for path, file in files.items()]
    restored = building.do(tasks)
    seen: dict[str, dict[str, Observation]] = {trial.name: {} for trial in trials}
    for trial in trials:
        for path in trial.paths:
            answer = restored.get(f"restore:{path}:{trial.name}")
            if answer is None:
                continue
            try:
                if answer.failure is not None:
                    raise ValueError(answer.failure)
                seen[trial.name][path] = isolation.checked(answer.data, Observation)
            except ValueError as error:
                failures[trial.name].append(f"{path}: {_first_line(str(error))}")
    return {trial.name: Witness(seen[trial.name], tuple(failures[trial.name])) for trial in trials}


def parameters(signature: Signature) -> int:
    """How many numbers a model holds; an unknown dimension counts as one."""
    return sum(math.prod(size or 1 for size in variable.shape or ()) for variable in signature.variables)


def outranked(comparison: Comparison, witness: Witness) -> tuple[Comparison, list[str]]:
    """The comparison with what was really seen in place of what was simulated, and where the two disagree."""
    outcomes, disagreements = dict(comparison.outcomes), []
    for path, simulated in comparison.outcomes.items():
        seen = witness.observations.get(path)
        if seen is None or simulated.kind == "unsupported" or not _is_about(comparison, seen):
            continue
        if _agree(comparison, simulated, seen):
            outcomes[path] = dataclasses.replace(
                simulated, failures=_quoting(simulated.failures, seen.error), certain=True, witnessed=True
            )
            continue
        if simulated.certain:
            disagreements.append(
                f"{path}: the simulation said {simulated.kind}, TensorFlow itself: {seen.outcome}. "
                "TensorFlow's word counts; please report it as a bug of restore-guard."
            )
        outcomes[path] = dataclasses.replace(
            simulated,
            kind=seen.outcome,
            assigned=seen.assigned,
            initial=(*seen.initial, *seen.changed_otherwise),
            unused=seen.unused,
            failures=(Failure(seen.error),) if seen.error is not None else (),
            certain=True,
            witnessed=True,
        )
    return dataclasses.replace(comparison, outcomes=outcomes), disagreements


def _saving(trial: Trial, folder: str) -> Task:
    options = {"paths": list(trial.paths), "folder": folder}
    return Task(f"save:{trial.name}", trial.base, "save", options)


def _restoring(trial: Trial, path: str, file: str, folder: str) -> Task:
    options = {"path": path, "folder": folder, "file": file}
    return Task(f"restore:{path}:{trial.name}", trial.head, "restore", options)


def _first_line(text: str) -> str:
    return (text.splitlines() or [""])[0]


class _Saved(msgspec.Struct):
    file: str | None
    error: str | None


def _files(answer: Answer) -> tuple[dict[str, str], list[str]]:
    """Returns ({restore path: its checkpoint}, why others have none)."""
    if answer.failure is not None:
        return {}, [f"the base could not be built with its weights and saved: {_first_line(answer.failure)}"]
    try:
        saved = isolation.checked(answer.data["saved"], dict[str, _Saved])
    except (TypeError, KeyError, ValueError) as error:
        return {}, [f"the base's build gave an answer that cannot be read: {error}"]
    files = {path: entry.file for path, entry in saved.items() if entry.file is not None}
    return files, [f"{path}: {entry.error}" for path, entry in saved.items() if entry.file is None]


def _is_about(comparison: Comparison, seen: Observation) -> bool:
    """An eager build may name its variables otherwise; its word is then of no use here."""
    return {*seen.assigned, *seen.initial, *seen.changed_otherwise} <= comparison.news.keys() and {
        *seen.assigned.values(),
        *seen.unused,
    } <= comparison.olds.keys()


def _agree(comparison: Comparison, simulated: Outcome, seen: Observation) -> bool:
    if simulated.kind != seen.outcome:
        return False
    if seen.outcome == "raises":
        return True
    counted = {new: old for new, old in simulated.assigned.items() if not comparison.news[new].seed}
    return (
        counted == seen.assigned
        and set(simulated.initial) == set(seen.initial)
        and set(simulated.unused) == set(seen.unused)
        and not seen.changed_otherwise
    )


def _quoting(failures: Sequence[Failure], error: str | None) -> tuple[Failure, ...]:
    """A load call tells one error: the first failure gets its real words."""
    if error is None or not failures:
        return tuple(failures)
    return (dataclasses.replace(failures[0], message=error), *failures[1:])
