"""Which objects were put in or taken out between two builds: what moves the positions of all that follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from restore_guard.change.diffs import Diff, Place
from restore_guard.plain_data import Site
from restore_guard.signature import Signature


class Shift(NamedTuple):
    """An object that only one side makes; `order` is its place among those that the side makes."""

    type: str
    site: Site
    inserted: bool
    order: int


def shifts_between(saved: Signature, model: Signature, diff: Diff) -> list[Shift]:
    """Returns what was put in or taken out; what took another's place on the same lines is neither."""
    olds: dict[Hashable, list[int]] = defaultdict(list)
    for number, (kind, site) in enumerate(saved.created):
        olds[kind, _lines(site, diff)].append(number)
    put_in = []
    for number, (kind, site) in enumerate(model.created):
        same = olds.get((kind, tuple((frame.file, frame.line) for frame in site.stack)))
        if same:
            same.pop(0)
        else:
            put_in.append(number)
    gone = sorted(number for numbers in olds.values() for number in numbers)
    blocks: dict[Hashable, list[int]] = defaultdict(list)
    for number in gone:
        blocks[_block(saved.created[number][1], diff.block_before)].append(number)
    found = []
    for number in put_in:
        kind, site = model.created[number]
        same = blocks[_block(site, diff.block_after)]
        alike = [other for other in same if saved.created[other][0] == kind] or same
        if alike:
            same.remove(alike[0])
        else:
            found.append(Shift(kind, site, True, number))
    found += [Shift(*saved.created[number], False, number) for numbers in blocks.values() for number in numbers]
    return found


def _lines(site: Site, diff: Diff) -> Hashable:
    """The lines of the head that the frames of the base have become; None, alike for none, where one was edited."""
    moved = [diff.head(Place(frame.file, frame.line)) for frame in site.stack]
    return tuple(moved) if None not in moved else object()


def _block(site: Site, block: Callable[[Place], Hashable | None]) -> Hashable | None:
    """The innermost edit that the frames of a creation go through."""
    return next((found for frame in site.stack if (found := block(Place(frame.file, frame.line)))), None)


def behind(shifts: Sequence[Shift], order: int | None) -> list[Shift]:
    """The shifts that may have moved what was made as the head's `order`-th object, the nearest first."""
    before = [shift for shift in shifts if order is None or shift.order <= order]
    return sorted(before or shifts, key=lambda shift: -shift.order)
