"""Models that a module makes when it is imported, and that other modules import from it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from restore_guard.discovery.candidate import PLAIN_NAMES, Candidate, of_module, snake
from restore_guard.discovery.kinds import Kinds
from restore_guard.discovery.modules import Module, Project


def candidates(project: Project, kinds: Kinds) -> Iterator[Candidate]:
    """The models of modules that are imported for them."""
    wanted = {full for module in project.modules for full in _read(project, module)}
    for module in project.modules:
        for name, node in _assigned(module) if module.is_product and not module.is_script else ():
            if f"{module.name}.{name}" in wanted and kinds.is_made(module, node):
                label = of_module(module) if PLAIN_NAMES.match(name) else snake(name)
                yield Candidate(label, f"{module.name}:{name}", module.file, node.lineno, module.root, (), "global")


def _assigned(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """(global name, the first value that it gets)."""
    seen = set()
    for node in module.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in seen and not name.startswith("_"):
                seen.add(name)
                yield name, value


def _read(project: Project, module: Module) -> Iterator[str]:
    """The full names that a module takes from others."""
    yield from (project.canonical(full, module) for full in module.names.values())
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            full = project.resolve(module, node)
            if full.rpartition(".")[0] != module.name:
                yield full
