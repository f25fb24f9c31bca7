"""The variables of both sides as one tree, aligned: a node is a layer in old checkpoints and the one that it is now.

Siblings that differ in their numbers alone have the same class, by which the page folds them into one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import zip_longest

import msgspec

from restore_guard.reports.wording import unnumbered
from restore_guard.result import Row, Seen

DEEPEST = 64
"""Levels of a name; what is below shares the last."""

Key = tuple[str | None, str | None]
Names = tuple[tuple[str, ...], tuple[str, ...]]
"""A part of a name, and the parts from the top on, of either side."""

NOTHING: Names = ((), ())


class Node(msgspec.Struct):
    """A part of a name on either side; None where that side has none.

    Attributes:
        row: the number of the variable that ends here.
        first: that of the first variable here or below.
        like: the same for all nodes that are alike but for numbers in their names.
    """

    old: str | None
    new: str | None
    first: int
    row: int | None = None
    children: list[Node] = msgspec.field(default_factory=list)
    like: int = 0


def tree(rows: Sequence[Row]) -> list[Node]:
    """The nodes at the top, in the order of the rows."""
    growing = _Tree()
    alone = []
    for number, row in enumerate(rows):
        if row.saved is not None and row.now is not None:
            growing.add(number, aligned(_parts(row.saved), _parts(row.now)))
        else:
            alone.append((number, row))
    # Below what both sides have, whatever it is called.
    for number, row in alone:
        growing.add_alone(number, row)
    _arrange(growing.top, rows, _Classes())
    return growing.top.children


def flat(nodes: Iterable[Node], depth: int = 1) -> Iterator[tuple[int, Node]]:
    """(depth, node) of all, each before its children."""
    for node in nodes:
        yield depth, node
        yield from flat(node.children, depth + 1)


def aligned(olds: Sequence[str], news: Sequence[str]) -> list[Key]:
    """The parts of two names side by side: equal beginnings and ends meet, of what is between as much as there is."""
    most = min(len(olds), len(news))
    head = next((n for n in range(most) if olds[n] != news[n]), most)
    tail = next((n for n in range(most - head) if olds[-1 - n] != news[-1 - n]), most - head)
    middle = zip_longest(olds[head : len(olds) - tail], news[head : len(news) - tail])
    return [*zip(olds[:head], news[:head], strict=True), *middle, *((part, part) for part in olds[len(olds) - tail :])]


def _parts(seen: Seen) -> list[str]:
    return seen.path.split("/", DEEPEST - 1)


class _Tree:
    def __init__(self) -> None:
        self.top = Node(None, None, 0)
        self._known: dict[tuple[int, Key], Node] = {}
        # {(side, name from the top): the node that has it}
        self._named: dict[tuple[int, tuple[str, ...]], Node] = {}

    def add(self, number: int, keys: Sequence[Key]) -> None:
        node, names = self.top, NOTHING
        for key in keys[:-1]:
            names = _longer(names, key)
            node = self._below(node, key, names, number)
        self._end(node, keys[-1], number)

    def add_alone(self, number: int, row: Row) -> None:
        side, seen = (0, row.saved) if row.saved is not None else (1, row.now)
        *above, last = _parts(seen) if seen is not None else [""]
        node, names = self.top, NOTHING
        for part in above:
            key: Key = (part, None) if side == 0 else (None, part)
            names = _longer(names, key)
            node = self._named.get((side, names[side])) or self._below(node, key, names, number)
        self._end(node, (last, None) if side == 0 else (None, last), number)

    def _below(self, node: Node, key: Key, names: Names, number: int) -> Node:
        found = self._known.get((id(node), key))
        if found is None:
            found = self._known[id(node), key] = Node(*key, first=number)
            node.children.append(found)
        for side in (0, 1):
            if key[side] is not None:
                self._named.setdefault((side, names[side]), found)
        return found

    def _end(self, node: Node, key: Key, number: int) -> None:
        node.children.append(Node(*key, first=number, row=number))


def _longer(names: Names, key: Key) -> Names:
    old, new = (name if part is None else (*name, part) for name, part in zip(names, key, strict=True))
    return old, new


class _Classes(dict[Hashable, int]):
    def __missing__(self, key: Hashable) -> int:
        self[key] = len(self)
        return self[key]


def _arrange(node: Node, rows: Sequence[Row], classes: _Classes) -> None:
    for child in node.children:
        _arrange(child, rows, classes)
        node.first = min(node.first, child.first)
    node.children.sort(key=lambda child: child.first)
    names = tuple(part if part is None else unnumbered(part) for part in (node.old, node.new))
    own = _form(rows[node.row]) if node.row is not None else None
    node.like = classes[names, own, tuple(child.like for child in node.children)]


def _form(row: Row) -> Hashable:
    """What is alike in variables that are repeated."""
    sides = (
        (seen.shape, seen.dtype, seen.owner, seen.file, seen.line) if seen else None for seen in (row.saved, row.now)
    )
    return (*sides, tuple(row.fates.items()))
