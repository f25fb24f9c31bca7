"""The calls of one Python file, and what the names in them stand for, as far as the file itself says."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Sequence
from functools import cached_property

from restore_guard.change import syntax
from restore_guard.change.sources import Module

_DEPTH = 8
"""Names that stand for names are followed so far."""


class Text:
    """One file.

    Args:
        roots: the folders that modules are imported from; "" is the project's own.
    """

    def __init__(self, file: str, content: bytes, roots: Sequence[str] = ("",)) -> None:
        self.file = file
        self._module = Module(content.decode(errors="replace"))
        self._name = dotted_file(file, roots)

    @property
    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self._module.tree) if isinstance(node, ast.Call))

    def around(self, node: ast.AST) -> Iterator[ast.Call]:
        """The calls that make the `with` blocks which a node is in."""
        for outer in self._module.above(node):
            if isinstance(outer, ast.With | ast.AsyncWith):
                yield from (item.context_expr for item in outer.items if isinstance(item.context_expr, ast.Call))

    def dotted(self, node: ast.AST | None, depth: int = _DEPTH) -> str:
        """The full name of an expression, imports followed: "tensorflow.train.Checkpoint"; "" where it has none."""
        match node:
            case ast.Name(id=name) if depth:
                return self._of_name(node, name, depth)
            case ast.Attribute(value=value, attr=attribute):
                before = self.dotted(value, depth)
                return f"{before}.{attribute}" if before else ""
        return ""

    def made(self, call: ast.Call) -> str:
        """The full name of what made the object whose method is called; "" where that is not seen.

        Of several that a name is bound to, the first that has a name; of a parameter, its annotation.
        """
        kept = call.func.value if isinstance(call.func, ast.Attribute) else None
        makers: list[ast.AST | None] = [kept]
        if isinstance(kept, ast.Name | ast.Attribute):
            makers = [*self._bound(kept), self._annotation(kept)]
        found = (self.dotted(maker.func if isinstance(maker, ast.Call) else maker) for maker in makers)
        return next(filter(None, found), "")

    def constant(self, node: ast.expr | None) -> tuple[object, bool]:
        """(the value of an argument, whether it is known); None for one that is not given."""
        if node is None:
            return None, True
        found = self.value(node)
        return (found.value, True) if isinstance(found, ast.Constant) else (None, False)

    def value(self, node: ast.expr, depth: int = _DEPTH) -> ast.expr:
        """What an expression stands for: names, attributes and keys that are bound once, parameters and options of
        the command line by default.
        """
        bound = self._bound(node) if depth and isinstance(node, ast.Name | ast.Attribute) else []
        only = bound[0] if len(bound) == 1 else None
        if (
            depth
            and isinstance(node, ast.Subscript)
            and isinstance(table := self.value(node.value, depth - 1), ast.Dict)
        ):
            only = _entry(table, node.slice)
        return self.value(only, depth - 1) if isinstance(only, ast.expr) else node

    def _bound(self, node: ast.Name | ast.Attribute) -> list[ast.AST | None]:
        """What a name or an attribute is bound to; a statement where that is no expression."""
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else None
            if owner in ("self", "cls") or owner in self._classes:
                return [*self._attributes.get(node.attr, [])]
            return [*self._options.get(node.attr, [])] if owner else []
        for scope in self._scopes(node):
            if statements := self._module.bindings(scope, node.id):
                return [_bound_to(statement, node.id) for statement in statements]
            if isinstance(scope, syntax.Function) and node.id in syntax.parameters(scope):
                return [syntax.default(scope, node.id)]
        return []

    def _annotation(self, node: ast.Name | ast.Attribute) -> ast.expr | None:
        """What a parameter is said to be."""
        if isinstance(node, ast.Attribute):
            return None
        for scope in self._scopes(node):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
                given = scope.args
                for item in (*given.posonlyargs, *given.args, *given.kwonlyargs):
                    if item.arg == node.id:
                        return item.annotation
        return None

    @cached_property
    def _attributes(self) -> dict[str, list[ast.AST | None]]:
        """{attribute of an object: what it is set to, None aside}."""
        found: dict[str, list[ast.AST | None]] = {}
        for node in self._module.statements:
            if isinstance(node, ast.Assign | ast.AnnAssign) and not _is_nothing(node.value):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                        found.setdefault(target.attr, []).append(node.value)
                    elif isinstance(target, ast.Name) and isinstance(self._module.scope(node), ast.ClassDef):
                        found.setdefault(target.id, []).append(node.value)
        return found

    @cached_property
    def _classes(self) -> frozenset[str]:
        return frozenset(node.name for node in self._module.statements if isinstance(node, ast.ClassDef))

    @cached_property
    def _options(self) -> dict[str, list[ast.expr]]:
        """{option of the command line, as an attribute: its default}, of argparse and of absl's flags."""
        found: dict[str, list[ast.expr]] = {}
        for call in self.calls:
            named = syntax.leaf(call.func)
            names = [item.value for item in call.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
            absl = named.startswith("DEFINE_")
            default = argument(call, 1 if absl else None, "default")
            if (absl or named == "add_argument") and names and not _is_nothing(default) and default is not None:
                own = argument(call, None, "dest")
                name = names[0] if absl else next((name for name in names if name.startswith("--")), names[0])
                name = str(own.value) if isinstance(own, ast.Constant) else name.lstrip("-").replace("-", "_")
                found.setdefault(name, []).append(default)
        return found

    def _scopes(self, node: ast.AST) -> Iterator[ast.AST]:
        """Where a name is looked for: in its function, in those around it, in the module."""
        while True:
            node = self._module.scope(node)
            if not isinstance(node, ast.ClassDef):
                yield node
            if node is self._module.tree:
                return

    def _of_name(self, node: ast.Name, name: str, depth: int) -> str:
        for scope in self._scopes(node):
            if statements := self._module.bindings(scope, name):
                match statements[-1]:
                    case ast.Import(names=names):
                        found = next(item for item in names if name in (item.asname, item.name.partition(".")[0]))
                        return found.name if found.asname else name
                    case ast.ImportFrom(names=names) as statement:
                        found = next(item for item in names if name == (item.asname or item.name))
                        return f"{self._package(statement)}.{found.name}"
                    case ast.ClassDef() | ast.FunctionDef():
                        return f"{self._name}.{name}"
                    case ast.Assign(value=value):
                        return self.dotted(value, depth - 1)
                return ""
        return ""

    def _package(self, node: ast.ImportFrom) -> str:
        """The full name of what is imported from."""
        if not node.level:
            return node.module or ""
        inside = self._name if posixpath.basename(self.file) == "__init__.py" else self._name.rpartition(".")[0]
        parts = inside.split(".")[: len(inside.split(".")) - node.level + 1]
        return ".".join([*filter(None, parts), *([node.module] if node.module else [])])


def argument(call: ast.Call, place: int | None, name: str) -> ast.expr | None:
    """What a call hands over by name, or at a place; None where it does not."""
    for word in call.keywords:
        if word.arg == name:
            return word.value
    if place is not None and place < len(call.args):
        before = call.args[: place + 1]
        return call.args[place] if not any(isinstance(item, ast.Starred) for item in before) else None
    return None


def _bound_to(statement: ast.stmt, name: str) -> ast.AST | None:
    """The expression that a statement binds a name to; the statement where it does so otherwise."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)) if target == name:
            return statement.value
    return statement


def _entry(table: ast.Dict, key: ast.expr) -> ast.expr | None:
    """The value of a key that is written out in a table."""
    if not isinstance(key, ast.Constant):
        return None
    pairs = zip(table.keys, table.values, strict=True)
    return next((value for name, value in pairs if isinstance(name, ast.Constant) and name.value == key.value), None)


def _is_nothing(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def dotted_file(file: str, roots: Sequence[str]) -> str:
    """The dotted name by which a file is imported from the deepest folder that it lies below."""
    for root in sorted(filter(None, roots), key=len, reverse=True):
        if file.startswith(f"{root}/"):
            file = posixpath.relpath(file, root)
            break
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
