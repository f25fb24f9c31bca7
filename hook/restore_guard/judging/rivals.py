"""What each variable of the head might be in the base: what the outputs of a real restore decide between."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from restore_guard.build import Rivals
from restore_guard.change.diffs import Diff, place
from restore_guard.judging.correspondence import correspond
from restore_guard.restore_paths import restore
from restore_guard.signature import Signature, Variable, leaf, owner

T = TypeVar("T")

# By which a model might be meant to be read, promised or not: by name, by attribute, by the order of creation.
_READINGS = ("tf-checkpoint", "keras-weights", "h5", "h5-by-name")
# Each assignment costs a call of the model.
_FEW_ALIKE = 8
_FEW_IN_ANY_ORDER = 4
_MOST = 100


def rivals(base: Signature, head: Signature, diff: Diff) -> Rivals:
    same = dict(correspond(base, head, diff).pairs())
    likely = [same]
    for path in _READINGS:
        outcome = restore(path, base, head)
        if outcome.kind == "restores" and (assigned := dict(outcome.assigned)) not in likely:
            likely.append(assigned)
    there = set(same.values())
    variables = [variable for variable in base.variables if variable.path in there]
    changed = [item for item in variables if (at := place(item)) is not None and diff.head(at) is None]
    exchanged = [
        _moved(same, group, order) for group in _alike(changed) for order in _exchanges(len(group[:_FEW_ALIKE]))
    ]
    possible = (_moved(same, group, order) for group in _alike(variables) for order in _orders(len(group[:_FEW_ALIKE])))
    return Rivals((*likely, *exchanged), tuple(itertools.islice(possible, _MOST)))


def _alike(variables: Iterable[Variable]) -> list[list[list[str]]]:
    """The owners of variables of equal form, each as the paths of its variables."""
    owned: dict[str, list[Variable]] = {}
    for variable in variables:
        owned.setdefault(owner(variable.path), []).append(variable)
    alike: dict[Hashable, list[list[str]]] = {}
    for held in owned.values():
        form = tuple((leaf(item.path), item.shape, item.dtype) for item in held)
        alike.setdefault(form, []).append([item.path for item in held])
    return [group for group in alike.values() if len(group) > 1]


def _moved(same: Mapping[str, str], group: Sequence[Sequence[str]], order: Sequence[int]) -> dict[str, str]:
    """The assignment with the owners of a group in another order."""
    moved = {
        old: new for number, other in enumerate(order) for old, new in zip(group[number], group[other], strict=True)
    }
    return {new: moved.get(old, old) for new, old in same.items()}


def _orders(count: int) -> Iterator[tuple[int, ...]]:
    """Other orders of a few: all, or else two exchanged, or one that has moved."""
    if count <= _FEW_IN_ANY_ORDER:
        yield from itertools.islice(itertools.permutations(range(count)), 1, None)
        return
    yield from _exchanges(count)
    for start, end in itertools.permutations(range(count), 2):
        order = [number for number in range(count) if number != start]
        order.insert(end, start)
        if abs(start - end) > 1:
            yield tuple(order)


def _exchanges(count: int) -> Iterator[tuple[int, ...]]:
    for one, other in itertools.combinations(range(count), 2):
        order = list(range(count))
        order[one], order[other] = other, one
        yield tuple(order)
