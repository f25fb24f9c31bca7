"""Witnesses: real checkpoints, really saved by one build of a model and really restored by another.

The probe does it. Here it is asked to, and its answers are validated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from restore_guard.build import Answer, Observation, Rivals, Witness
from restore_guard.building import isolation
from restore_guard.building.workshop import BuildOrder, ModelTask, Workshop

RESTORING = "restoring old checkpoints into the new build"


class WitnessTrial(msgspec.Struct, frozen=True):
    """A model to save and restore really; each of the two becomes a `ModelTask`.

    Attributes:
        base, head: the builds of either side.
        paths: the restore paths to save and load by.
        package: the Keras by which the head's code loads `.keras` files.
        rivals: what each variable of the head might be in the base.
        unsure: the paths on which the simulation does not know what even unchanged code restores.
    """

    name: str
    base: BuildOrder
    head: BuildOrder
    paths: Sequence[str]
    package: str = "keras"
    rivals: Rivals = msgspec.field(default_factory=Rivals)
    unsure: frozenset[str] = frozenset()


def run(building: Workshop, trials: Sequence[WitnessTrial]) -> dict[str, Witness]:
    """Saves in the base's Python and restores in the head's: a process for each, for all restore paths.

    Where a value is lost or the outputs differ, and unchanged code may do the same, the base's own build restores the
    checkpoint as well.
    """
    if not trials:
        return {}
    folders = {trial.name: str(building.folder()) for trial in trials}
    tasks = [_saving(trial, folders[trial.name]) for trial in trials]
    answers = building.do(tasks, "saving old checkpoints")
    saved = {trial.name: saved_files(answers[f"save:{trial.name}"]) for trial in trials}

    def asked(trial: WitnessTrial, order: BuildOrder, paths: Iterable[str]) -> _Asked:
        files = {path: file for path, file in saved[trial.name][0].items() if path in paths}
        return _Asked(trial, order, files, folders[trial.name])

    restored = _restored(building, [asked(trial, trial.head, trial.paths) for trial in trials])
    doubted = {trial.name: _doubted(trial, restored[trial.name][0]) for trial in trials}
    control = _restored(
        building, [asked(trial, trial.base, doubted[trial.name]) for trial in trials if doubted[trial.name]]
    )
    return {
        trial.name: Witness(
            restored[trial.name][0],
            (
                *saved[trial.name][1],
                *restored[trial.name][1],
                *(f"with the unchanged code: {why}" for why in control.get(trial.name, ({}, ()))[1]),
            ),
            control.get(trial.name, ({}, ()))[0],
        )
        for trial in trials
    }


class _Asked(msgspec.Struct, frozen=True):
    """What to restore into one build."""

    trial: WitnessTrial
    order: BuildOrder
    files: Mapping[str, str]
    folder: str

    def task(self, paths: Sequence[str]) -> ModelTask:
        options = {
            "files": {path: self.files[path] for path in paths},
            "folder": self.folder,
            "package": self.trial.package,
            "rivals": {"likely": list(self.trial.rivals.likely), "possible": list(self.trial.rivals.possible)},
        }
        return ModelTask(f"restore:{','.join(paths)}:{self.trial.name}", self.order, "restore", options)


def _restored(building: Workshop, asked: Sequence[_Asked]) -> dict[str, tuple[dict[str, Observation], tuple[str, ...]]]:
    """{trial: ({restore path: what was seen}, why others were not)}."""
    whole = {one.trial.name: (one, one.task(list(one.files))) for one in asked if one.files}
    answers = building.do([task for _, task in whole.values()], RESTORING)
    # One path may have crashed the process that tried them all: each is tried again in a process of its own.
    apart = {
        name: [one.task([path]) for path in one.files]
        for name, (one, task) in whole.items()
        if answers[task.id].died and len(one.files) > 1
    }
    answers |= building.do([task for tasks in apart.values() for task in tasks], RESTORING) if apart else {}
    found: dict[str, tuple[dict[str, Observation], tuple[str, ...]]] = {one.trial.name: ({}, ()) for one in asked}
    for name, (_, task) in whole.items():
        for each in apart.get(name, [task]):
            seen, failures = _observations(answers[each.id], list(each.options["files"]))
            found[name] = found[name][0] | seen, found[name][1] + failures
    return found


def _observations(answer: Answer, paths: Sequence[str]) -> tuple[dict[str, Observation], tuple[str, ...]]:
    """Returns ({restore path: what was seen}, why others were not)."""
    if answer.failure is not None:
        return {}, tuple(f"{path}: {_first_line(answer.failure)}" for path in paths)
    seen, failures = {}, []
    for path in paths:
        try:
            told = answer.data["restored"][path]
            if "failure" in told:
                failures.append(f"{path}: {_first_line(told['failure'])}")
            else:
                seen[path] = isolation.checked(told, Observation)
        except (TypeError, KeyError, ValueError) as error:
            failures.append(f"{path}: an answer that cannot be read: {_first_line(str(error))}")
    return seen, tuple(failures)


def _doubted(trial: WitnessTrial, seen: Mapping[str, Observation]) -> list[str]:
    """The paths on which unchanged code may go wrong in the same way."""
    if trial.base is trial.head:
        return []
    return [path for path, one in seen.items() if one.differs or (one.outcome != "restores" and path in trial.unsure)]


def _saving(trial: WitnessTrial, folder: str) -> ModelTask:
    options = {"paths": list(trial.paths), "folder": folder}
    return ModelTask(f"save:{trial.name}", trial.base, "save", options)


def _first_line(text: str) -> str:
    return (text.splitlines() or [""])[0]


class _Saved(msgspec.Struct):
    file: str | None
    error: str | None


def saved_files(answer: Answer) -> tuple[dict[str, str], tuple[str, ...]]:
    """Returns ({restore path: its checkpoint}, why others have none)."""
    if answer.failure is not None:
        return {}, (f"the base could not be built with its weights and saved: {_first_line(answer.failure)}",)
    try:
        saved = isolation.checked(answer.data["saved"], dict[str, _Saved])
    except (TypeError, KeyError, ValueError) as error:
        return {}, (f"the base's build gave an answer that cannot be read: {error}",)
    files = {path: entry.file for path, entry in saved.items() if entry.file is not None}
    return files, tuple(f"{path}: {entry.error}" for path, entry in saved.items() if entry.file is None)
