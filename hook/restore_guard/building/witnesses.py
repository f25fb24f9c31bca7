"""Witnesses: real checkpoints, really saved by one build of a model and really restored by another.

The probe does it; here its word is asked for, checked and set against the simulation, which it outranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from restore_guard.build import Answer, Observation, Witness
from restore_guard.building import isolation
from restore_guard.building.workshop import Order, Task, Workshop


@dataclass(frozen=True)
class Trial:
    """A model to try.

    Attributes:
        base, head: the builds of either side.
        paths: the restore paths to save and load by.
        rivals: see `rivals`.
    """

    name: str
    base: Order
    head: Order
    paths: Sequence[str]
    rivals: Sequence[Mapping[str, str]]


def run(building: Workshop, trials: Sequence[Trial]) -> dict[str, Witness]:
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


def _saving(trial: Trial, folder: str) -> Task:
    options = {"paths": list(trial.paths), "folder": folder}
    return Task(f"save:{trial.name}", trial.base, "save", options)


def _restoring(trial: Trial, path: str, file: str, folder: str) -> Task:
    options = {"path": path, "folder": folder, "file": file, "rivals": list(trial.rivals)}
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
