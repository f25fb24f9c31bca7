"""What each restore path really did with the example of a rule: `scripts/differential` measures and writes it."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import msgspec

from restore_guard.restore_paths.outcome import Kind

FILE = "measured.json"
"""Beside the rules."""


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a real restore did: see `result.PathResult`."""

    outcome: Kind
    restored: int = 0
    variables: int = 0
    initial: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()


class Measured(msgspec.Struct, frozen=True):
    """An example of the corpus.

    Attributes:
        change: its changed lines, as a diff shows them.
        outcomes: {restore path: {column of `Measurements`: what a real restore did}}.
    """

    change: tuple[str, ...]
    outcomes: dict[str, dict[str, Seen]]


class Measurements(msgspec.Struct, frozen=True):
    """The file.

    Attributes:
        columns: {Keras 2, Keras 3, or a move from one to the other: the versions}.
        rules: {rule: what was measured of its example}.
    """

    columns: dict[str, str]
    rules: dict[str, Measured]


@cache
def measurements() -> Measurements:
    content = resources.files("restore_guard.rules").joinpath(FILE).read_bytes()
    return msgspec.json.decode(content, type=Measurements)


def dump(measured: Measurements) -> bytes:
    """The file's content, one restore path a line."""
    rules = []
    for name, mine in measured.rules.items():
        outcomes = ",\n".join(f"        {_json(path)}: {_json(seen)}" for path, seen in mine.outcomes.items())
        change = f'      "change": {_json(mine.change)}'
        rules.append(f'    {_json(name)}: {{\n{change},\n      "outcomes": {{\n{outcomes}\n      }}\n    }}')
    columns = f'  "columns": {_json(measured.columns)}'
    return ("{\n" + columns + ',\n  "rules": {\n' + ",\n".join(rules) + "\n  }\n}\n").encode()


def _json(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
