"""inputs-changed: the model is called with something else than before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from restore_guard.change.diffs import Place, place
from restore_guard.rules.shared import words
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told
from restore_guard.rules.shared.view import View
from restore_guard.signature import Input


class Difference(NamedTuple):
    """One input that is not what it was; None on the side that lacks it."""

    old: Input | None
    new: Input | None
    sentence: str


def about(facts: Facts) -> Iterator[Told]:
    """The head against the promise; a base that took something else than the promise already has told it."""
    if facts.head is None:
        return
    found = differences(facts.promised, facts.head.takes)
    if not found:
        return
    base = facts.base.takes if facts.base is not None else ()
    first = found[0]
    yield Told(
        f"The model is called with something else: {words.listing(each.sentence for each in found)}.",
        _stands(facts, found),
        old=_form(first.old),
        new=_form(first.new),
        status="pre-existing" if base and not differences(base, facts.head.takes) else "new",
    )


def differences(old: Sequence[Input], new: Sequence[Input]) -> list[Difference]:
    """What a caller notices; nothing where one of the two is not known."""
    if not old or not new:
        return []
    before, after = {item.at: item for item in old}, {item.at: item for item in new}
    gone = [item for at, item in before.items() if at not in after]
    added = [item for at, item in after.items() if at not in before]
    found = [_changed(before[at], item) for at, item in after.items() if at in before]
    if len(gone) == len(added):
        found += [
            Difference(one, other, f"{_name(one)} is now {_name(other)}")
            for one, other in zip(gone, added, strict=True)
        ]
    else:
        found += [Difference(item, None, f"{_name(item)} is gone") for item in gone]
        found += [Difference(None, item, f"{_name(item)} is new") for item in added]
    kept = [at for at in before if at in after]
    if kept != (now := [at for at in after if at in before]):
        at = next(one for one, other in zip(now, kept, strict=True) if one != other)
        order = ", ".join(_name(after[each]) for each in now)
        found.append(Difference(before[at], after[at], f"the order is now {order}"))
    return [difference for difference in found if difference is not None]


def _changed(old: Input, new: Input) -> Difference | None:
    """One input of the same place."""
    parts = []
    if old.name and new.name and old.name != new.name:
        parts.append(f"{old.name} is now {new.name}")
    if not _same_shape(old, new):
        parts.append(f"shape {words.sizes(old.shape)} is now {words.sizes(new.shape)}")
    if old.dtype and new.dtype and old.dtype != new.dtype:
        parts.append(f"dtype {old.dtype} is now {new.dtype}")
    return Difference(old, new, f"{_name(new)}: {', '.join(parts)}") if parts else None


def _same_shape(old: Input, new: Input) -> bool:
    if old.shape is None or new.shape is None:
        return True
    return len(old.shape) == len(new.shape) if old.example or new.example else old.shape == new.shape


def _name(item: Input) -> str:
    """As a caller writes it: by keys, by position, or by the name of a single input."""
    return "/".join(map(str, item.at)) or item.name or "the input"


def _form(item: Input | None) -> str | None:
    return " ".join(filter(None, [_name(item), words.sizes(item.shape), item.dtype])) if item is not None else None


def _stands(facts: Facts, found: Sequence[Difference]) -> Place | None:
    """Where the input is declared, on a changed line if one is near."""
    declared = next((at for each in found if each.new is not None and (at := place(each.new)) is not None), None)
    if facts.comparison is None:
        return declared
    return View(facts.comparison).nearest(declared) if declared is not None else facts.nearest_change()


RULE = Rule(
    "inputs-changed",
    meaning="The model takes other inputs than before: other names, shapes or dtypes, or in another structure.",
    why="Every value may restore and the callers still break, or put one feature in the place of another.",
    example=Example("inputs-changed/key-renamed"),
    fix="Change the callers with it.",
    level="warning",
    about=about,
)
