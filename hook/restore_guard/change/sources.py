"""One side's Python sources as trees in which statements, functions and classes can be looked up."""

from __future__ import annotations

import ast
import itertools
import posixpath
from collections.abc import Callable, Collection, Iterator
from functools import cache, cached_property

from restore_guard.change import layout, syntax

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class Module:
    """One file."""

    def __init__(self, text: str) -> None:
        self.tree = layout.tree(text.encode()) or ast.Module([], [])
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def statements(self) -> list[ast.stmt]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.stmt)]

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        return [node for node in self.statements if isinstance(node, ast.ClassDef)]

    def statement(self, line: int) -> ast.stmt | None:
        """The innermost statement, of a compound one its head, at a line."""
        found = [node for node in self.statements if line in span(node)]
        return min(found, key=lambda node: len(span(node)), default=None)

    def function(self, node: ast.AST) -> syntax.Function | None:
        """What defines the function that a node runs in."""
        return next((outer for outer in self._around(node) if isinstance(outer, syntax.Function)), None)

    def owner(self, node: ast.AST) -> ast.ClassDef | None:
        """The class that a node, or the function that it is in, belongs to."""
        return next((outer for outer in self._around(node) if isinstance(outer, ast.ClassDef)), None)

    def scope(self, node: ast.AST) -> ast.AST:
        return next((outer for outer in self._around(node) if isinstance(outer, _SCOPES)), self.tree)

    def is_method(self, function: ast.AST) -> bool:
        """Whether a call does not name the function's first parameter."""
        decorators = [syntax.leaf(item) for item in getattr(function, "decorator_list", ())]
        return isinstance(self.parents.get(function), ast.ClassDef) and "staticmethod" not in decorators

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node is in, the innermost first, up to its function."""
        return itertools.takewhile(lambda outer: not isinstance(outer, (*_SCOPES, ast.Module)), self._around(node))

    def _around(self, node: ast.AST) -> Iterator[ast.AST]:
        outer = self.parents.get(node)
        while outer is not None:
            yield outer
            outer = self.parents.get(outer)

    def bindings(self, scope: ast.AST, name: str) -> list[ast.stmt]:
        """The statements of a scope that give a name its value, in their order."""
        return self._bound.get(scope, {}).get(name, [])

    @cached_property
    def _bound(self) -> dict[ast.AST, dict[str, list[ast.stmt]]]:
        found: dict[ast.AST, dict[str, list[ast.stmt]]] = {}
        for node in self.statements:
            for name in bound(node):
                found.setdefault(self.scope(node), {}).setdefault(name, []).append(node)
        for names in found.values():
            for nodes in names.values():
                nodes.sort(key=lambda node: node.lineno)
        return found


def span(node: syntax.Statement) -> range:
    """The lines of a statement; of a compound one those of its head, decorators included."""
    first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
    body, end = getattr(node, "body", None), syntax.lines(node).stop
    if not isinstance(body, list):
        return range(first, end)
    inner = [item.lineno for item in body]
    inner += [item.lineno for part in body for item in getattr(part, "decorator_list", ())]
    return range(first, max(node.lineno + 1, min(inner, default=end)))


def bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a value."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Import():
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        case ast.ImportFrom():
            yield from (alias.asname or alias.name for alias in node.names)
        case ast.Assign():
            yield from (name for target in node.targets for name in _names(target))
        case ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.AsyncFor():
            yield from _names(node.target)
        case ast.With() | ast.AsyncWith():
            yield from (name for item in node.items if item.optional_vars for name in _names(item.optional_vars))
    if not isinstance(node, (*_SCOPES, ast.Import, ast.ImportFrom)):
        yield from (item.target.id for item in ast.walk(node) if isinstance(item, ast.NamedExpr))


def _names(target: ast.AST) -> Iterator[str]:
    yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


class Sources:
    """All files of one side.

    Args:
        read: {file: its text}, None where there is none.
        files: those that a build of this side read.
    """

    def __init__(self, read: Callable[[str], str | None], files: Collection[str]) -> None:
        self.files = sorted(files)
        self.text = cache(read)
        self.module = cache(lambda file: Module(self.text(file) or ""))
        modules = [file for file in self.files if file.endswith(".py")]
        self._stems = {file.removesuffix(".py").removesuffix("/__init__"): file for file in modules}

    def imported(self, file: str, node: ast.Import | ast.ImportFrom, name: str) -> tuple[str, str | None] | None:
        """(file, name in it) of what an import binds to a name; None as the name for a module as a whole."""
        for alias in node.names:
            plain = alias.name if isinstance(node, ast.ImportFrom) else alias.name.partition(".")[0]
            if (alias.asname or plain) != name:
                continue
            if isinstance(node, ast.Import):
                found = self._find(alias.name if alias.asname else name)
                return (found, None) if found else None
            package = node.module or ""
            if node.level:
                folder = posixpath.dirname(file)
                for _ in range(node.level - 1):
                    folder = posixpath.dirname(folder)
                package = posixpath.join(folder, package.replace(".", "/")) if package else folder
            if found := self._find(f"{package}.{alias.name}"):
                return found, None
            return (found, alias.name) if (found := self._find(package)) else None
        return None

    def _find(self, module: str) -> str | None:
        wanted = module.replace(".", "/")
        if wanted in self._stems:
            return self._stems[wanted]
        return next((file for stem, file in self._stems.items() if stem.endswith(f"/{wanted}")), None)

    @cached_property
    def classes(self) -> dict[str, list[tuple[str, ast.ClassDef]]]:
        """{name: the classes that have it, with their files}."""
        found: dict[str, list[tuple[str, ast.ClassDef]]] = {}
        for file in self._stems.values():
            for node in self.module(file).classes:
                found.setdefault(node.name, []).append((file, node))
        return found

    def lineage(self, name: str, near: str = "") -> list[tuple[str, ast.ClassDef]]:
        """A class and those that it is derived from, as far as their source is here."""
        found: list[tuple[str, ast.ClassDef]] = []
        waiting = [(name, near)]
        while waiting:
            wanted, file = waiting.pop(0)
            known = sorted(self.classes.get(wanted, ()), key=lambda item: item[0] != file)[:1]
            for entry in known:
                if entry not in found:
                    found.append(entry)
                    waiting += [(syntax.leaf(base), entry[0]) for base in entry[1].bases]
        return found
