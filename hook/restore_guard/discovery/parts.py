"""What models are only made of: classes and functions that other models make, pick from a table, or are handed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set

import msgspec

from restore_guard.discovery.candidate import PLAIN_NAMES
from restore_guard.discovery.modules import Function, Module, Project, all_calls
from restore_guard.discovery.tables import Tables


class Uses(msgspec.Struct, eq=False):
    """What the functions, methods and top levels of a project use.

    Attributes:
        functions: {full name: (module, class that it is a method of, function)}.
    """

    project: Project
    tables: Tables
    functions: Mapping[str, tuple[Module, ast.ClassDef | None, Function]]
    _blocks: dict[str, tuple[Module, ast.AST]] = msgspec.field(default_factory=dict)
    _names: dict[str, set[str]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        self._blocks |= {name: (module, node) for name, (module, _, node) in self.functions.items()}
        for module in self.project.modules:
            statements = [item for item in module.tree.body if not isinstance(item, Function | ast.ClassDef)]
            self._blocks[f"{module.file}:"] = (module, ast.Module(body=statements, type_ignores=[]))

    def names(self, block: str) -> set[str]:
        """The full names of what a block calls, hands on or picks from, but for itself and the class that it is of."""
        if block not in self._names:
            module, node = self._blocks[block]
            self._names[block] = self.tables.names(module, node) - {block, block.rpartition(".")[0]}
        return self._names[block]

    def outside(self, inside: Set[str]) -> Iterator[str]:
        """What the project's own code calls in blocks other than these, and what its programs name there."""
        for block, (module, node) in self._blocks.items():
            if block not in inside and module.rank == 0:
                yield from self.names(block) if module.is_script else self._calls(module, node)

    def _calls(self, module: Module, node: ast.AST) -> set[str]:
        return {self.project.resolve(module, each.func) for each in all_calls(node)}

    def closure(self, blocks: Set[str]) -> set[str]:
        """Blocks, with all functions of the project that run when they do."""
        found = {*blocks}
        waiting = [*found]
        while waiting:
            more = {name for name in self.names(waiting.pop()) if name in self.functions and name not in found}
            found |= more
            waiting += more
        return found

    def calls(self) -> Iterator[tuple[Module, ast.AST, str, ast.Call]]:
        """(module, block, full name of what is called, call) of all code."""
        for module, node in self._blocks.values():
            for call in all_calls(node):
                yield module, node, self.project.resolve(module, call.func), call


def parts(
    uses: Uses,
    starts: Set[str],
    bases: Set[str],
    handed: Set[tuple[str, str]],
    classes: Set[str],
    builders: Mapping[str, Set[str]],
) -> Iterator[str]:
    """The full names of what only other models are made of.

    Args:
        starts: the blocks that make models.
        bases: classes that other models inherit from.
        handed: (model, class of another that it is constructed with).
        classes: classes that are models.
        builders: {what gives a model: what it hands on, which it is not made of}.
    """
    inside = uses.closure(starts)
    apart = {*uses.outside(inside)}
    used = {(block, name) for block in inside for name in uses.names(block) - builders.get(block, set())} | handed
    made = {name for _, name in used}
    for name in made | (bases - apart):
        if name in classes or (name in builders and name not in apart):
            yield name
    shelves = {_file(name) for block, name in used if name in classes and not block.startswith(f"{_file(name)}.")}
    for name in classes - made - bases - apart:
        # One of many parts, which nothing uses now.
        if _file(name) in shelves and PLAIN_NAMES.match(_file(name).rpartition(".")[2].removesuffix("s")) is None:
            yield name


def _file(name: str) -> str:
    """The module that a class or function is in."""
    return name.rpartition(".")[0]
