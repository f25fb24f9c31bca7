"""The words in which rules speak of variables and layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from restore_guard.signature import Holder, Variable, leaf


def shape(variable: Variable) -> str:
    return "unknown" if variable.shape is None else f"({', '.join(map(str, variable.shape))})"


def typed(path: str | None, holders: Mapping[str, Holder]) -> str | None:
    """A layer with its type, where that is known."""
    return f"{path} {holders[path].type}" if path in holders else path


def type_of(path: str | None, holders: Mapping[str, Holder]) -> str:
    return holders[path].type if path in holders else "layer"


def parts(names: Sequence[str], top: str) -> str:
    """The variables below an object: how many, and by which names."""
    below = [name.removeprefix(f"{top}/") if name != top else leaf(name) for name in names]
    return f"{count(len(below), 'variable')}: {listing(below)}"


def listing(names: Iterable[str], most: int = 4) -> str:
    listed = list(names)
    shown = ", ".join(listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most} more"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def accept_command(model: str) -> str:
    """What accepts a break of a model."""
    return f'restore-guard update {model} --accept-break "REASON"'
