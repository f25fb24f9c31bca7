"""The objects that Keras walks when it saves weights (`keras/src/saving/saving_lib.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from restore_guard.plain_data import DEEPEST, Site, Struct

# A container's items: what each is addressed by, and its node, nested items, or None (nothing saved in it).
Items = tuple[tuple[str, "int | Items | None"], ...]


class TreeNode(Struct, frozen=True):
    """An object that Keras walks when it saves; `variables` in the order of `save_own_variables`.

    `vocabulary` is that of a lookup layer which a `.keras` file keeps beside the weights, and reads from there.
    """

    type: str
    role: Literal["layer", "optimizer", "stateless", "custom"]
    name: str | None = None
    variables: tuple[int, ...] = ()
    built: bool = True
    vocabulary: Literal["known", "empty"] | None = None
    # Pairs of attribute and target, recursive where msgspec's types are not: checked by `KerasTree`.
    children: tuple[Any, ...] = ()
    site: Site | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "children", _tuples(self.children))


class KerasTree(Struct, frozen=True):
    """The walk of Keras's `saving_lib`, the model first.

    `generation` is 2 or 3 (how the walk is loaded), `nests` whether containers within containers are walked,
    `refuses_unbuilt` whether weights are loaded into built models only.
    """

    generation: Literal[2, 3]
    nests: bool
    nodes: tuple[TreeNode, ...]
    refuses_unbuilt: bool = False

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ValueError("a Keras tree has at least its model")
        for node in self.nodes:
            for child in node.children:
                self._check_child(child)
        self._check_depth()

    def _check_depth(self) -> None:
        """Goes the way of Keras's walk, which enters each object once."""
        visited, waiting = {0}, [(0, 0)]
        while waiting:
            number, depth = waiting.pop()
            if depth > DEEPEST:
                raise ValueError("a Keras tree is nested too deeply")
            for child in _nodes(self.nodes[number].children):
                if child not in visited:
                    visited.add(child)
                    waiting.append((child, depth + 1))

    def _check_child(self, child: object, inside: bool = False) -> None:
        """`inside` a container, others are only found where Keras walks them."""
        if not (isinstance(child, tuple) and len(child) == 2 and isinstance(child[0], str)):
            raise ValueError("a child of a Keras tree is a pair of a name and a target")
        target, nests = child[1], self.nests and self.generation == 3
        if isinstance(target, tuple) and (nests or not inside):
            for item in target:
                self._check_child(item, inside=True)
        elif target is None and nests and inside:
            return
        elif not (isinstance(target, int) and 0 <= target < len(self.nodes)):
            raise ValueError(f"a Keras tree has no node {target!r}")


def _tuples(value: object, room: int = DEEPEST) -> object:
    """Decoded JSON has lists where equality needs tuples."""
    if not isinstance(value, list | tuple):
        return value
    if not room:
        raise ValueError("a Keras tree has containers that are nested too deeply")
    return tuple(_tuples(item, room - 1) for item in value)


def _nodes(children: tuple[Any, ...]) -> Iterator[int]:
    """The nodes that children lead to, through containers."""
    for _, target in children:
        if isinstance(target, int):
            yield target
        elif target is not None:
            yield from _nodes(target)
