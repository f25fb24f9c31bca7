"""The words in which rules speak of variables and layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from restore_guard.rules.shared.cause import Cause, Subject
from restore_guard.rules.shared.patterns import family, pattern
from restore_guard.signature import Holder, Variable, leaf


def shape(variable: Variable) -> str:
    return sizes(variable.shape)


def sizes(shape: Sequence[int | None] | None) -> str:
    """A shape as Python writes it."""
    return "unknown" if shape is None else str(tuple(shape))


def typed(path: str | None, holders: Mapping[str, Holder]) -> str | None:
    """A layer with its type, where that is known."""
    return f"{path} {holders[path].type}" if path is not None and path in holders else path


def type_of(path: str | None, holders: Mapping[str, Holder]) -> str:
    return holders[path].type if path is not None and path in holders else "layer"


def parts(names: Sequence[str], top: str) -> str:
    """The variables below an object: how many, and by which names."""
    below = [name.removeprefix(f"{top}/") if name != top else leaf(name) for name in names]
    return f"{count(len(below), 'variable')}: {listing(below)}"


def extent(cause: Cause, top: str, *further: str) -> str:
    """How many things changed alike, with their variables; of a single one below `top`, which variables.

    In parentheses, with what else is to be said there; "" where nothing is.
    """
    said = [what for what in (_extent(cause, top), *further) if what]
    return f" ({', '.join(said)})" if said else ""


def _extent(cause: Cause, top: str) -> str:
    names = list(dict.fromkeys(cause.names))
    if cause.count == 1:
        return parts(names, top) if names != [top] else ""
    if cause.count == len(names):
        return count(len(names), "variable")
    return f"{count(cause.count, 'layer')}, {count(len(names), 'variable')}"


def subjects(cause: Cause) -> Subject:
    """The old and the new name of what changed, one for all that are alike: `blocks/*/attn`."""
    return _alike([old for old, _ in cause.subjects]), _alike([new for _, new in cause.subjects])


def _alike(names: Sequence[str | None]) -> str | None:
    """One name for all; None where one of them is not there."""
    known = [name for name in names if name is not None]
    if len(known) < len(names):
        return None
    kinds: dict[str | None, list[str]] = {}
    for name in known:
        kinds.setdefault(family(name), []).append(name)
    alike = pattern(known)
    if len(kinds) == 2 and all("optimizer" in name for name in known):  # `optimizer/*s` says less than both names
        return listing(map(pattern, kinds.values()))
    return alike if alike.strip("*/") or not any(known) else listing(dict.fromkeys(known))


def is_or_are(cause: Cause) -> str:
    return "is" if cause.count == 1 else "are"


def article(noun: str) -> str:
    """A word with `a` or `an` before it, as it is spoken: an LSTM, a GRU."""
    spelled = noun[:2].isupper() and noun[:2].isalpha()
    return f"{'an' if noun[:1] in ('AEFHILMNORSX' if spelled else 'AEIO') else 'a'} {noun}"


def listing(names: Iterable[str], most: int = 4) -> str:
    listed = list(names)
    shown = ", ".join(listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most} more"


def not_really_tried(failure: str) -> str:
    """What is said of a real restore that failed for another reason than the model."""
    return f"Not really tried: {failure}"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def state_lost(path: str, addresses: Sequence[str]) -> str:
    """What becomes of saved tables, iterators and Python state that no object of the model takes."""
    holds = "holds a value that is" if len(addresses) == 1 else "hold values that are"
    return (
        f"{path}: {listing(addresses)} {holds} no variable (a table, an iterator, Python state), and nothing in "
        "the model takes it from old checkpoints: the model keeps what it is made with"
    )


CARRY = "carry old checkpoints across by `restore-guard migrate CHECKPOINT OUT`"
"""The third way, beside keeping what is old and accepting the break."""


def accept_command(model: str) -> str:
    """What accepts a break of a model."""
    return f'restore-guard update {model} --accept-break "REASON"'


def renaming(old: str, new: str) -> tuple[str, str]:
    """The part of the path that was renamed, alike for all variables below it."""
    olds, news = old.split("/"), new.split("/")
    while len(olds) > 1 and len(news) > 1 and olds[-1] == news[-1]:
        olds, news = olds[:-1], news[:-1]
    return "/".join(olds), "/".join(news)
