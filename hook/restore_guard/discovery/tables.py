"""What a project picks its classes and functions from: dicts and lists of them, registries that they enter."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from restore_guard.discovery.modules import Module, Project

_ASKS_ONLY = {"isinstance", "issubclass", "super", "hasattr", "type"}


class Tables:
    """The tables of a project: {full name of a global: full names of what it holds}."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._held: dict[str, set[str]] = {}
        for module in project.modules:
            for node in module.tree.body:
                for table, value in self._entries(module, node):
                    names = {name for name in self.names(module, value) if project.definition(name) is not None}
                    if names:
                        self._held.setdefault(table, set()).update(names)

    def _entries(self, module: Module, node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
        """(table, what enters it) of a statement at the top level of a module."""
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() | ast.List() | ast.Tuple() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict() | ast.List() | ast.Tuple() as value)
            ):
                yield f"{module.name}.{name}", value
            case ast.Assign(targets=[ast.Subscript(value=table)], value=value):
                yield self.project.resolve(module, table), value
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as table), args=args)):
                yield self.project.resolve(module, table), ast.Tuple(elts=args)
            case (
                ast.ClassDef(name=name, decorator_list=decorators)
                | ast.FunctionDef(name=name, decorator_list=decorators)
            ):
                for decorator in decorators:
                    called = decorator.func if isinstance(decorator, ast.Call) else decorator
                    if isinstance(called, ast.Attribute):
                        yield self.project.resolve(module, called.value), ast.Name(id=name, ctx=ast.Load())

    def picked(self, module: Module, function: ast.expr, local: Mapping[str, Sequence[ast.expr]]) -> set[str]:
        """What a call of an expression may call: `NETS[name]`, `NETS.get(name)`, a variable that holds one."""
        if isinstance(function, ast.Name):
            return {name for value in local.get(function.id, ()) for name in self.picked(module, value, {})}
        inner: ast.expr = function
        while isinstance(inner, ast.Subscript | ast.Call | ast.Attribute):
            inner = inner.func if isinstance(inner, ast.Call) else inner.value
            known = self._held.get(self.project.resolve(module, inner))
            if known:
                return known
        return set()

    def names(self, module: Module, block: ast.AST) -> set[str]:
        """The full names that a block uses as values, called or not, with all that the tables among them hold."""
        own = {self.project.resolve(module, node) for node in _values(block)} - {""}
        return own.union(*(self._held.get(name, ()) for name in own))


def _values(node: ast.AST) -> Iterator[ast.expr]:
    """Names and attributes that are read, but for annotations, decorators and questions about a type."""
    if isinstance(node, ast.Name | ast.Attribute):
        yield node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ASKS_ONLY:
        return
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "ctx"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _values(child)
