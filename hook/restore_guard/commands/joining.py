"""Several JSON reports joined into one result: those of the jobs among which the models were shared out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from restore_guard import result_json
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.result import Finding, ModelResult, Result
from restore_guard.rules import RULES
from restore_guard.rules.shared.words import accept_command


def found(folder: Path) -> list[Path]:
    """The reports below a folder, as actions/download-artifact leaves them."""
    return sorted(folder.rglob("*.json"))


def read(files: Iterable[Path]) -> dict[str, Result]:
    """{file: its report}.

    Raises:
        UncheckedError: a report that is missing or cannot be read, so that nobody knows what its job found.
    """
    results = {}
    for file in files:
        try:
            results[str(file)] = result_json.parse(file.read_bytes())
        except OSError as error:
            raise UncheckedError(f"{file}: {error.strerror}. Did the job that should write it run?") from error
        except ValueError as error:
            raise UncheckedError(f"{file}: {error}") from error
    return results


def join(results: Mapping[str, Result]) -> Result:
    """One result of all models.

    A model that `plan` left to a job is unchecked, with nothing said of it, until another report has it.

    Raises:
        UsageError: no report, reports of different commits, or a model that two of them have checked.
    """
    if not results:
        raise UsageError("there is no report to join.")
    (first_file, first), *others = results.items()
    for file, result in others:
        if (result.base, result.head) != (first.base, first.head):
            raise UsageError(
                f"{first_file} compares {first.base} with {first.head}, {file} {result.base} with {result.head}: "
                "join the reports of one run only."
            )
    models: dict[str, tuple[str, ModelResult]] = {}
    for file, result in results.items():
        for model in result.models:
            other = models.get(model.name)
            if other is None or is_left(other[1]):
                models[model.name] = file, model
            elif not is_left(model):
                raise UsageError(f"{model.name} is in both {other[0]} and {file}: each model is checked by one job.")
    notes = dict.fromkeys(note for result in results.values() for note in result.notes)
    return Result(first.base, first.head, tuple(_completed(model) for _, model in models.values()), tuple(notes))


def is_left(model: ModelResult) -> bool:
    """Whether a plan has left a model to a job: unchecked, and nothing is said of it."""
    return model.verdict == "unchecked" and not model.restores and not model.findings


def _completed(model: ModelResult) -> ModelResult:
    """With the advice that the JSON report leaves out, as it follows from the rule."""
    if is_left(model):
        return msgspec.structs.replace(model, notes=("No report says what became of it: look at the job's log.",))
    return msgspec.structs.replace(model, findings=tuple(_advised(model.name, finding) for finding in model.findings))


def _advised(model: str, finding: Finding) -> Finding:
    rule = RULES.get(finding.rule)
    return msgspec.structs.replace(
        finding,
        fix=rule.fix if rule is not None and finding.status != "accepted" else "",
        accept=accept_command(model) if finding.fails and finding.restores else "",
    )
