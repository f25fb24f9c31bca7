"""Where a value comes from: the changed lines that a statement depends on, through calls, attributes and constants.

A cheap slice of source text along the frames that were active. It need not be complete: it ranks changed lines.
"""

from __future__ import annotations

import ast
import heapq
import itertools
import posixpath
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from restore_guard.change import syntax
from restore_guard.change.diffs import Place
from restore_guard.change.edits import Edit
from restore_guard.change.sources import span
from restore_guard.judging.program import Caller, Code, Scope
from restore_guard.plain_data import Frame

# Steps that a search takes before it gives up, and how far from the start it goes.
_STEPS, _FARTHEST = 800, 14.0
_INNER = ("__init__", "build", "call", "__call__")


class Reached(NamedTuple):
    """A changed line of the head that a value depends on; `cost` grows with every step to it."""

    cost: float
    edit: Edit | None
    place: Place
    is_gone: bool = False


class Search:
    """The changed lines that some statements depend on, the nearest first.

    Args:
        data: whether what a layer is called with counts too: it decides shapes, not what exists.
    """

    def __init__(self, code: Code, data: bool) -> None:
        self.code, self.data = code, data
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()
        self._seen: set[tuple[object, ...]] = set()
        self.found: list[Reached] = []

    def start(self, frames: Iterable[Frame], cost: float) -> None:
        """Begins at the innermost of some frames; the others decide whether it was reached at all."""
        for number, (scope, statement) in enumerate(self.code.follow(frames)):
            if number == 0:
                self._push(cost, self._step, scope, statement)
            else:
                self._push(cost + 2 * number + 0.5, self._only, scope, statement)

    def run(self, enough: float) -> list[Reached]:
        """What was found up to `enough` behind the first."""
        limit, steps = _FARTHEST, 0
        while self._heap and steps < _STEPS:
            cost, _, what, arguments = heapq.heappop(self._heap)
            if cost > limit:
                break
            steps += 1
            what(cost, *arguments)
            if self.found:
                limit = min(limit, min(item.cost for item in self.found) + enough)
        return self.found

    def _push(self, cost: float, what: Callable[..., None], *arguments: object) -> None:
        heapq.heappush(self._heap, (cost, next(self._numbers), what, arguments))

    def _reach(self, cost: float, file: str, lines: range) -> None:
        self.found += [Reached(cost, *touched) for touched in self.code.touching(file, lines)]

    def _new(self, *key: object) -> bool:
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    # --- statements ---------------------------------------------------------------------------------------------

    def _step(self, cost: float, scope: Scope, statement: syntax.Statement) -> None:
        if not self._new("step", scope, statement):
            return
        self._only(cost, scope, statement)
        for part in syntax.parts(statement):
            self._uses(cost, scope, statement, part)

    def _only(self, cost: float, scope: Scope, statement: syntax.Statement) -> None:
        """A statement, and what decides whether it runs."""
        if not self._new("only", scope, statement):
            return
        self._reach(cost, scope.file, span(statement))
        module = self.code.module(scope.file)
        if scope.type is not None:
            for number, (file, kind) in enumerate(self.code.sources.lineage(scope.type, scope.file)):
                self._reach(cost + 1.5 + number, file, span(kind))
        inner: ast.AST = statement
        for node in module.above(statement):
            if isinstance(node, ast.stmt):
                self._push(cost + 1, self._step, scope, node)
        for outer in [statement, *module.above(statement), *([scope.function] if scope.function is not None else [])]:
            for before in syntax.exits(inner, outer):
                self._push(cost + 1, self._step, scope, before)
            inner = outer

    def _uses(self, cost: float, scope: Scope, statement: syntax.Statement, part: ast.AST) -> None:
        for node in syntax.used(part, self.data):
            if isinstance(node, ast.Constant):
                self._data_file(cost, str(node.value))
            elif isinstance(node, ast.Attribute):
                self._push(cost + 1, self._attribute, scope, statement, node)
            else:
                self._push(cost + 1, self._name, scope, statement, *node)

    def _data_file(self, cost: float, text: str) -> None:
        for file in self.code.data_files:
            if text and posixpath.basename(file) == posixpath.basename(text) and self._new("data", file):
                self._reach(cost + 1, file, range(1, 1 << 30))

    # --- names --------------------------------------------------------------------------------------------------

    def _name(self, cost: float, scope: Scope, statement: syntax.Statement, name: str, call: ast.Call | None) -> None:
        """Follows a name to what gave it its value."""
        module, function = self.code.module(scope.file), scope.function
        at: syntax.Statement = statement
        while function is not None:
            bindings = module.bindings(function, name)
            held = list(syntax.reaching(at, bindings, [*module.above(at), function])) if bindings else []
            for node in held:
                self._value(cost, scope, node, name, Caller(scope, statement, call))
            if name in syntax.parameters(function) and not any(node.lineno < at.lineno for node in held):
                self._push(cost, self._parameter, scope, name)
            if bindings or name in syntax.parameters(function):
                return
            at, function = function, module.function(function)
            scope = self.code.scopes.get((scope.file, function), Scope(scope.file, function, scope.type))
        self._global(cost, scope.file, name, Caller(scope, statement, call))

    def _global(self, cost: float, file: str, name: str, by: Caller) -> None:
        if not self._new("global", file, name, by.call):
            return
        module = self.code.module(file)
        for node in module.bindings(module.tree, name):
            self._value(cost, Scope(file, None), node, name, by)

    def _value(self, cost: float, scope: Scope, node: ast.stmt, name: str, by: Caller) -> None:
        """What a statement gives a name, used by somebody."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            target = self.code.sources.imported(scope.file, node, name)
            if target is not None and target[1] is not None:
                self._push(cost, self._global, target[0], target[1], by)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._function(cost, scope.file, node, by)
        elif isinstance(node, ast.ClassDef):
            self._class(cost, scope.file, node, by)
        else:
            self._step(cost, scope, node)

    def _function(self, cost: float, file: str, node: ast.FunctionDef | ast.AsyncFunctionDef, by: Caller) -> None:
        """What a function returns, and what decorates it."""
        for item in getattr(node, "decorator_list", ()):
            self._reach(cost, file, range(item.lineno, item.end_lineno + 1))
        own = Scope(file, node, by.scope.type, by if by.call is not None else None)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return) and self.code.module(file).function(inner) is node:
                self._push(cost + 1, self._step, own, inner)

    def _class(self, cost: float, file: str, node: ast.ClassDef, by: Caller) -> None:
        """The bases of a class; and what its objects do with data."""
        for number, (place, found) in enumerate(self.code.sources.lineage(node.name, file)):
            self._reach(cost + number, place, span(found))
            for method in found.body if self.data else ():
                if isinstance(method, ast.FunctionDef) and method.name in _INNER:
                    own = self.code.scopes.get((place, method), Scope(place, method, node.name))
                    for inner in ast.walk(method):
                        if isinstance(inner, ast.Return):
                            self._push(cost + 1, self._step, own, inner)
                        elif isinstance(inner, ast.stmt) and inner is not method:
                            self._push(cost + 2, self._only, own, inner)

    # --- attributes ---------------------------------------------------------------------------------------------

    def _attribute(self, cost: float, scope: Scope, statement: syntax.Statement, node: ast.Attribute) -> None:
        base = node.value
        if isinstance(base, ast.Name):
            if base.id in ("self", "cls") and scope.function is not None:
                self._of_self(cost, scope, scope.function, statement, node.attr)
                return
            if (file := self._imported_module(scope.file, base.id)) is not None:
                self._global(cost, file, node.attr, Caller(scope, statement, None))
                return
        self._push(cost + 1, self._anywhere, node.attr)

    def _imported_module(self, file: str, name: str) -> str | None:
        module = self.code.module(file)
        for node in module.bindings(module.tree, name):
            if isinstance(node, ast.Import | ast.ImportFrom):
                target = self.code.sources.imported(file, node, name)
                if target is not None and target[1] is None:
                    return target[0]
        return None

    def _of_self(
        self, cost: float, scope: Scope, function: syntax.Function, statement: syntax.Statement, name: str
    ) -> None:
        """An attribute of the object that a method runs on, in its class and those above."""
        owner = self.code.module(scope.file).owner(function)
        kind = scope.type or (owner.name if owner is not None else None)
        if kind is None or not self._new("self", kind, name):
            return
        lineage = self.code.sources.lineage(kind, scope.file)
        if owner is not None and (scope.file, owner) not in lineage:
            lineage.append((scope.file, owner))
        for number, (file, node) in enumerate(lineage):
            for scope_, found in self._setting(file, node, name, kind):
                by = Caller(scope, statement, None)
                self._value(cost + number * 0.25, scope_, found, name, by)

    def _setting(self, file: str, node: ast.ClassDef, name: str, kind: str) -> Iterator[tuple[Scope, ast.stmt]]:
        """The statements of a class that set an attribute of it or of its objects."""
        module = self.code.module(file)
        for found in module.bindings(node, name):
            yield Scope(file, None, kind), found
        for inner in ast.walk(node):
            targets = inner.targets if isinstance(inner, ast.Assign) else [getattr(inner, "target", None)]
            if not isinstance(inner, ast.stmt) or not any(syntax.sets(target, name) for target in targets):
                continue
            function = module.function(inner)
            yield self._method(file, function, kind), inner

    def _method(self, file: str, function: syntax.Function | None, kind: str) -> Scope:
        known = self.code.scopes.get((file, function))
        if known is not None and known.type in (kind, None):
            return known
        made = self.code.made.get(kind) if getattr(function, "name", "") == "__init__" else None
        return Scope(file, function, kind, made)

    def _anywhere(self, cost: float, name: str) -> None:
        """An attribute of what is not known: fields of that name on changed lines."""
        if not self._new("anywhere", name):
            return
        for file in self.code.edits:
            for node in self.code.module(file).classes if file.endswith(".py") else ():
                for _, found in self._setting(file, node, name, node.name):
                    if not isinstance(found, ast.FunctionDef):
                        self._reach(cost, file, span(found))

    # --- parameters ---------------------------------------------------------------------------------------------

    def _parameter(self, cost: float, scope: Scope, name: str) -> None:
        """Follows a parameter to the argument of the call, to its default or to the configuration."""
        function, by = scope.function, scope.caller
        if function is None or not self._new("parameter", scope, name):
            return
        default = syntax.default(function, name)
        if by is None:
            self._outermost(cost, scope, name)
        elif by.call is None:
            self._push(cost + 0.5, self._step, by.scope, by.statement)
        else:
            given, whole = self._argument(by.call, scope.file, function, name)
            for part in given:
                if self._differs(by.scope.file, by.call, part, scope.file, function, name):
                    self._reach(cost + 0.5, by.scope.file, syntax.lines(part))
                self._uses(cost, by.scope, by.statement, part)
            if whole:
                return
        if default is not None:
            self._reach(cost + 0.5, scope.file, syntax.lines(default))
            around = self.code.module(scope.file).function(function)
            self._uses(cost, Scope(scope.file, around), function, default)

    def _outermost(self, cost: float, scope: Scope, name: str) -> None:
        key = (scope.file, getattr(scope.function, "name", ""))
        entry = self.code.entry
        wanted = (f"kwargs.{name}", "kwargs") if key == self.code.builder else ("inputs",)
        self.found += [Reached(cost + 0.5, None, entry[key]) for key in wanted if key in entry]
        # A function that none of the frames shows the call of, as a decorator.
        for file in self.code.edits if key[1] else ():
            for node in self.code.module(file).statements if file.endswith(".py") else ():
                for item in (item for part in syntax.parts(node) for item in ast.walk(part)):
                    if isinstance(item, ast.expr) and syntax.leaf(item) == key[1]:
                        self._reach(cost + 1.5, file, syntax.lines(item))

    def _differs(
        self, file: str, entering: ast.Call, part: ast.expr, callee_file: str, function: syntax.Function, name: str
    ) -> bool:
        """False where the other side hands over the same on the lines of `file` that were changed."""
        text, callee = ast.unparse(part), syntax.leaf(entering.func)
        for touched in self.code.touching(file, syntax.lines(part)):
            for statement in self.code.across(file, touched.edit):
                call = syntax.call_named(callee, statement)
                if call is None:
                    continue
                given, _ = self._argument(call, callee_file, function, name)
                if text in map(ast.unparse, given):
                    return False
        return True

    def _argument(self, call: ast.Call, file: str, function: syntax.Function, name: str) -> tuple[list[ast.expr], bool]:
        is_method = self.code.module(file).is_method(function)
        return syntax.argument(call, function, name, is_method)
