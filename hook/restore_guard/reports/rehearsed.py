"""What the reports of a rehearsed move say in the same words: its matrix, each move's name, the last line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from restore_guard.rehearsal import Rehearsal, Upgrade
from restore_guard.reports import wording
from restore_guard.reports.wording import counted, plain
from restore_guard.result import ModelResult, PathResult, Result, Verdict

OUTPUTS = "outputs"
"""The row that tells whether what is restored computes the same."""


class Cell(NamedTuple):
    """What a checkpoint saved today does after one move: a state as reports show them, and it in words."""

    state: str
    words: str


class Row(NamedTuple):
    """One restore path of one model."""

    model: str
    path: str
    cells: tuple[Cell, ...]


def rows(upgrade: Upgrade) -> list[Row]:
    """Models × restore paths, a cell for each move."""
    found = []
    for name in dict.fromkeys(model.name for move in upgrade.moves for model in move.models):
        judged = [next((model for model in move.models if model.name == name), None) for move in upgrade.moves]
        known = [model for model in judged if model is not None]
        paths = list(dict.fromkeys(path for model in known for path in model.restores)) or ["build"]
        found += [Row(name, path, tuple(_cell(model, path) for model in judged)) for path in paths]
        if any(wording.outputs(model) for model in known):
            found.append(Row(name, OUTPUTS, tuple(map(_outputs, judged))))
    return found


def _cell(model: ModelResult | None, path: str) -> Cell:
    if model is None:
        return Cell("unchecked", "not rehearsed")
    found = model.restores.get(path)
    if found is None:
        failed = any(finding.rule == "build-failed" for finding in model.findings)
        return Cell("unchecked", "does not build" if failed else "unchecked")
    state = wording.state(found)
    return Cell(state, ", ".join([f"SILENT {state}" if wording.silent(found) else state, *_remarks(found)]))


def _remarks(path: PathResult) -> Iterator[str]:
    if path.migration is not None and path.migration.outcome == "restores":
        yield "migrates"
    if not path.certain:
        yield "not certain"
    elif path.evidence == "simulated":
        yield "simulated"


def _outputs(model: ModelResult | None) -> Cell:
    told = wording.outputs(model) if model is not None else None
    return Cell(told[0], told[0]) if told is not None else Cell("not compared", "not compared")


def versions(of: dict[str, str]) -> str:
    """TensorFlow and Keras as an environment has them."""
    return plain(", ".join(f"{name} {version}" for name, version in of.items()) or "no known TensorFlow")


def heading(number: int, move: Rehearsal) -> str:
    """A move with its number, and what it makes of TensorFlow and Keras."""
    lead = f"{number}: {plain(move.name)}"
    if move.failure is not None:
        return f"{lead} could not be rehearsed"
    others = len([moved for moved in move.moved if moved.package not in move.versions])
    more = f", and {counted(others, 'other package')}" if others else ""
    return f"{lead} brings {versions(move.versions)}{more}"


def details(upgrade: Upgrade, number: int) -> Iterator[ModelResult | str]:
    """What is to be said of a move, by its index, beyond the matrix: its models that lose something or were not
    checked; a sentence in place of one with which the same becomes as after an earlier move.
    """
    for model in upgrade.moves[number].models:
        if not (model.findings or model.notes or model.verdict != "restores"):
            continue
        same = next(
            (n for n, move in enumerate(upgrade.moves[:number], 1) if _told(model) in map(_told, move.models)), 0
        )
        yield f"{plain(model.name)}: the same as after {same}" if same else model


def _told(model: ModelResult) -> tuple[object, ...]:
    """What a report says of a model: outputs that are the same may differ in the last digits."""
    return msgspec.structs.replace(model, behaviour=None), wording.outputs(model)


def result(move: Rehearsal, models: tuple[ModelResult, ...]) -> Result:
    """Models of a move as a result of two sides, for what reports already say of these."""
    return Result("today", move.name, models)


_WORDS: dict[Verdict, tuple[str, str]] = {
    "restores": ("loses nothing that was promised", "lose nothing that was promised"),
    "breaks": ("breaks a promise", "break a promise"),
    "unchecked": ("could not be checked", "could not be checked"),
}


def summary(upgrade: Upgrade) -> str:
    """The last line."""
    states = [move.verdict for move in upgrade.moves]
    counts = [
        f"{count} {one if count == 1 else several}"
        for state, (one, several) in _WORDS.items()
        if (count := states.count(state))
    ]
    lead = f"{counted(len(states), 'move')} from {versions(upgrade.today)}: {', '.join(counts)}"
    if len(states) == 1:
        return lead
    if upgrade.furthest is None:
        return f"{lead}; none of them loses nothing"
    return f"{lead}; the furthest that loses nothing: {plain(' '.join(upgrade.furthest))}"
