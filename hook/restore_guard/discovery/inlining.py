"""An expression of a script, rewritten so that it says the same where nothing of the script is around it.

Names of the project's modules are imported; what only a script knows (its variables, its options with their
defaults) is put in place of its name, with a note of where it stands.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
from typing import NamedTuple

from restore_guard.discovery import bindings, hydra, options, records, tuning, values
from restore_guard.discovery.bindings import bound, given_to, is_local, parameter_of
from restore_guard.discovery.modules import Function, Module, Project, methods
from restore_guard.discovery.options import Option, Options
from restore_guard.discovery.sites import Site, Sites
from restore_guard.discovery.work import at_import, reads, when_called, works

_DEEPEST = 24
_CALLERS = 3


class Unknown(Exception):
    """What an expression stands for is nowhere in the source."""


class Scope(NamedTuple):
    """Where an expression stands: its function, the class of that, and the line before which it is evaluated."""

    module: Module
    function: Function | None = None
    owner: ast.ClassDef | None = None
    line: int = 1 << 30


class Inliner:
    """Rewrites the expressions of one call.

    Attributes:
        imports: {name in the new code: full name of what it is}.
        prelude: statements that come before.
        notes: where values come from.
        configurations: how many files of configuration could be meant where a script does not say which.

    Args:
        literal: values take the place of names everywhere, so that they can be known without running anything.
        choice: which of the possible files of configuration is taken.
        script: a module that makes the model at its top level: it is not imported.
    """

    def __init__(
        self,
        project: Project,
        sites: Sites,
        *,
        literal: bool = False,
        choice: int = 0,
        script: Module | None = None,
    ) -> None:
        self.project, self.sites, self.literal, self.choice, self.script = project, sites, literal, choice, script
        self.imports: dict[str, str] = {}
        self.prelude: list[str] = []
        self.notes: list[str] = []
        self.configurations = 0
        self._depth = 0

    def inline(self, node: ast.expr, scope: Scope) -> ast.expr:
        """The expression as it can stand anywhere.

        Raises:
            Unknown: names the part that nothing tells.
        """
        if self._depth > _DEEPEST:
            raise Unknown(ast.unparse(node))
        self._depth += 1
        try:
            return self._inline(node, scope)
        finally:
            self._depth -= 1

    def plain(self, node: ast.expr, scope: Scope) -> ast.expr:
        """As `inline`, with an object of options spelled out."""
        return self._spelled(self.inline(node, scope))

    def _spelled(self, found: ast.expr) -> ast.expr:
        return self._namespace(found) if isinstance(found, Options) else found

    def _inline(self, node: ast.expr, scope: Scope) -> ast.expr:
        match node:
            case ast.Constant(value=str(text)):
                return ast.Constant(self.project.path_in(text, scope.module))
            case ast.Constant():
                return node
            case ast.Name(id=name):
                return self._name(name, scope)
            case ast.Attribute():
                return self._attribute(node, scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant()):
                return ast.BinOp(self.plain(left, scope), node.op, node.right)
            case ast.Subscript(value=value, slice=ast.Constant(value=int(index))):
                whole = self.inline(value, scope)
                if isinstance(whole, ast.Tuple | ast.List) and index < len(whole.elts):
                    return whole.elts[index]
                return ast.Subscript(self._spelled(whole), node.slice, ast.Load())
            case ast.Lambda() | ast.Await() | ast.Yield() | ast.YieldFrom() | ast.NamedExpr():
                raise Unknown(ast.unparse(node))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node, scope)
        return self._children(node, scope)

    def _children(self, node: ast.expr, scope: Scope) -> ast.expr:
        fresh = copy.copy(node)
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(fresh, field, [child for item in value for child in self._child(item, scope)])
            else:
                setattr(fresh, field, self._child(value, scope)[0])
        return fresh

    def _child(self, value: object, scope: Scope) -> list[object]:
        if isinstance(value, ast.keyword):
            if value.arg is None and scope.function is not None and bindings.is_rest(value.value, scope.function):
                return [*self.handed_on(scope.function, scope)]
            return [ast.keyword(value.arg, self.plain(value.value, scope))]
        return [self.plain(value, scope) if isinstance(value, ast.expr) else value]

    def _comprehension(self, node: ast.expr, scope: Scope) -> ast.expr:
        """Its own variables stay; only what it loops over is rewritten where it is no literal."""
        bound = {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}
        fresh = copy.deepcopy(node)
        return _Names(self, scope, bound).visit(fresh)  # type: ignore[no-any-return]

    def _name(self, name: str, scope: Scope) -> ast.expr:
        if name == "__file__":
            return ast.Constant(scope.module.file)  # builds run in the folder of the project
        unknown: Unknown | None = None
        if scope.function is not None:
            for value in bound(name, scope.function, scope.line):
                try:
                    return self._filled(name, self._value(value, scope), value, scope.function, scope)
                except Unknown as error:
                    unknown = error
            parameter = parameter_of(scope.function, name)
            if unknown is None and parameter is not None:
                return self._argument(name, parameter, scope)
        if unknown is not None:
            raise unknown
        if name not in scope.module.names and name not in scope.module.starred and hasattr(builtins, name):
            return ast.Name(name, ast.Load())
        return self._global(name, scope.module, scope.line if scope.function is None else 1 << 30)

    def _global(self, name: str, module: Module, line: int) -> ast.expr:
        full = self.project.resolve(module, ast.Name(name, ast.Load()))
        if options.is_flags(full):
            return Options(options.of_flags(self.project, module))
        before, _, last = full.rpartition(".")
        home = self.project.module(before, module)
        if home is not None and last not in home.classes and last not in home.functions:
            return self._variable(last, home, full, line if home is module else 1 << 30)
        if home is not None:
            self._must_import(home, full)
        elif self.project.module(full, module) is None and full == f"{module.name}.{name}":
            raise Unknown(name)
        return self._reference(name, full)

    def _variable(self, name: str, home: Module, full: str, line: int) -> ast.expr:
        """A module's own variable: by its name where the module can be imported, else what is assigned to it."""
        is_known = name in home.starred
        block = ast.Module(
            body=[item for item in home.tree.body if not isinstance(item, ast.ClassDef)], type_ignores=[]
        )
        assigned = bound(name, block, line)
        if any(options.is_flags(self.project.resolve(home, value)) for value in assigned):
            return Options(options.of_flags(self.project, home))
        if (
            is_known
            and not (self.literal or home.is_script or home is self.script)
            and at_import(self.project, home) is None
        ):
            return self._reference(name, full)
        unknown = Unknown(name)
        for value in assigned:
            try:
                found = self._value(value, Scope(home, line=value.lineno))
                found = self._filled(name, found, value, block, Scope(home, line=line))
            except Unknown as error:
                unknown = error
                continue
            if not isinstance(found, Options) and values.is_known(found):
                self.note(f"{name} = {ast.unparse(found)}: {home.file}:{value.lineno}")
            return found
        raise unknown

    def _value(self, bound: ast.expr, scope: Scope) -> ast.expr:
        before = scope._replace(line=bound.lineno)
        if isinstance(bound, ast.Starred):
            raise Unknown(ast.unparse(bound))
        return self.inline(bound, before)

    def _filled(self, name: str, found: ast.expr, value: ast.expr, block: ast.AST, scope: Scope) -> ast.expr:
        """A value after what is read, or merged, into it by statements of their own."""
        calls = bindings.filled(name, block, value.lineno, scope.line)
        if not calls or isinstance(found, Options):
            return found
        variable = name + "_" * (name in self.imports)
        lines = [f"{variable} = {ast.unparse(found)}"]
        for method, call in calls:
            given = self._children(ast.Call(ast.Constant(None), call.args, call.keywords), scope)
            lines.append(f"{variable}.{method}{ast.unparse(given).removeprefix('None')}")
        self.prelude += [line for line in lines if line not in self.prelude]
        return ast.Name(variable, ast.Load())

    def _must_import(self, home: Module, full: str) -> None:
        if not home.importable or at_import(self.project, home) is not None:
            raise Unknown(full)

    def _reference(self, name: str, full: str) -> ast.expr:
        """A name of another module, imported."""
        free = name
        while self.imports.get(free, full) != full:
            free += "_"
        self.imports[free] = full
        return ast.Name(free, ast.Load())

    def _attribute(self, node: ast.Attribute, scope: Scope) -> ast.expr:
        full = self.project.resolve(scope.module, node)
        if options.is_flags(full):
            return Options(options.of_flags(self.project, scope.module))
        if full == "sys.argv":
            raise Unknown(full)
        before, _, last = full.rpartition(".")
        home = (
            self.project.module(before, scope.module)
            if before and not is_local(node, scope.function, scope.line)
            else None
        )
        if home is not None and home is not scope.module:
            if last in home.classes or last in home.functions:
                self._must_import(home, full)
                return self._reference(last, full)
            if last in home.starred:
                return self._variable(last, home, full, 1 << 30)
        if isinstance(node.value, ast.Name) and node.value.id == "self" and scope.owner is not None:
            return self._of_self(node.attr, scope)
        value = self.inline(node.value, scope)
        if isinstance(value, Options):
            return self._option(node.attr, value)
        if self.literal and (field := self._field(value, node.attr, scope)) is not None:
            return field
        return ast.Attribute(value, node.attr, ast.Load())

    def _of_self(self, name: str, scope: Scope) -> ast.expr:
        assert scope.owner is not None
        unknown = Unknown(f"self.{name}")
        for method in methods(scope.owner).values():
            for value in bound(f"self.{name}", method, 1 << 30):
                try:
                    return self.inline(value, Scope(scope.module, method, scope.owner, value.lineno))
                except Unknown as error:
                    unknown = error
        raise unknown

    def _option(self, name: str, found: Options) -> ast.expr:
        option = found.found.get(name)
        if option is None:
            raise Unknown(f"option {name}")
        return self._chosen(option)

    def _chosen(self, option: Option) -> ast.expr:
        """The default of an option; of one that names a configuration and has none, a file that is there."""
        default = self.inline(option.default, Scope(option.module)) if option.default is not None else None
        text = default.value if isinstance(default, ast.Constant) else None
        if options.names_configuration(option.name) and (default is None or isinstance(default, ast.Constant)):
            files = options.configurations(self.project)
            if text not in self.project.files and not (isinstance(text, str) and options.names_one_of(text, files)):
                self.configurations = len(files)
                if self.choice < len(files):
                    self.note(f"{option.name} = {files[self.choice]!r}: {option.text}")
                    return ast.Constant(files[self.choice])
        if default is None:
            raise Unknown(f"option {option.name}")
        self.note(f"{option.name} = {ast.unparse(default)}: {option.text}")
        return default

    def _namespace(self, found: Options) -> ast.expr:
        """All options with their defaults, as an object."""
        keywords = []
        for option in found.found.values():
            try:
                keywords.append(ast.keyword(option.name, self._chosen(option)))
            except Unknown:
                continue
        return ast.Call(self._reference("SimpleNamespace", "types.SimpleNamespace"), [], keywords)

    def _field(self, value: ast.expr, name: str, scope: Scope) -> ast.expr | None:
        """A field of an object that a class of the project or SimpleNamespace makes of plain arguments."""
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
            return None
        known = self.project.definition(self.imports.get(value.func.id, ""), scope.module)
        owner = known[1] if known is not None and isinstance(known[1], ast.ClassDef) else None
        given, default = records.field(value, owner, name)
        if given is not None or default is None or known is None:
            return given
        return self.inline(default, Scope(known[0]))

    def _call(self, node: ast.Call, scope: Scope) -> ast.expr:
        if options.is_parsing(node):
            return options.parsed(self.project, scope.module, node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("join", "joinpath"):
            names = [item if isinstance(item, ast.Constant) else self.plain(item, scope) for item in node.args]
            return ast.Call(self.plain(node.func, scope), names, [])
        full = self.project.resolve(scope.module, node.func)
        known = self.project.definition(full, scope.module)
        if known is not None and isinstance(known[1], ast.FunctionDef) and options.parses(known[1]):
            return Options(options.of_parser(known[0]))
        if known is not None and when_called(self.project, full):
            raise Unknown(ast.unparse(node.func))
        if known is None and works(full or ast.unparse(node.func)) and not reads(full, node):
            raise Unknown(ast.unparse(node.func))
        return self._children(node, scope)

    def _argument(self, name: str, parameter: ast.arg, scope: Scope) -> ast.expr:
        """What a function is called with: by its callers, its default, or the type that it asks for."""
        function = scope.function
        assert function is not None
        if name in ("self", "cls") and scope.owner is not None:
            raise Unknown(name)
        if composed := hydra.composed(self.project, scope.module, function):
            self.imports |= {"hydra": "hydra", "os": "os"}
            self.prelude += [line for line in composed if line not in self.prelude]
            return ast.Name(hydra.NAME, ast.Load())
        for site in self._callers(function, scope):
            given = given_to(site.call, function, name, skips_first=scope.owner is not None)
            if given is not None:
                with contextlib.suppress(Unknown):
                    return self.inline(given, Scope(site.module, site.function, site.owner, site.call.lineno))
        default = bindings.of_command(function, name) or bindings.of_parameters(function, name)
        if default is not None:
            return self.inline(default, Scope(scope.module))
        return self.by_type(parameter, scope.module)

    def _callers(self, function: Function, scope: Scope) -> list[Site]:
        owner = f"{scope.module.name}.{scope.owner.name}" if scope.owner else scope.module.name
        called = owner if scope.owner and function.name == "__init__" else f"{owner}.{function.name}"
        return [site for site in self.sites.of(called)[:_CALLERS] if site.function is not function]

    def handed_on(self, function: Function, scope: Scope) -> list[ast.keyword]:
        """What a function is called with beyond its own parameters, which it hands on as `**rest`.

        Raises:
            Unknown: nothing tells one of these.
        """
        for site in self._callers(function, scope)[:1]:
            where = Scope(site.module, site.function, site.owner, site.call.lineno)
            given = [item for item in site.call.keywords if not item.arg or parameter_of(function, item.arg) is None]
            return [ast.keyword(item.arg, self.plain(item.value, where)) for item in given]
        return []

    def by_type(self, parameter: ast.arg, module: Module) -> ast.expr:
        """An object of the class that a parameter asks for, where that can be made of its own defaults.

        Raises:
            Unknown: it asks for no such class.
        """
        full = self.project.resolve(module, parameter.annotation)
        if tuner := tuning.package(self.project, parameter, full):
            self.note(f"{parameter.arg}: what a search starts from")
            return ast.Call(self._reference("HyperParameters", f"{tuner}.HyperParameters"), [], [])
        known = self.project.definition(full, module)
        if known is None or not isinstance(known[1], ast.ClassDef) or not records.has_defaults(known[1]):
            raise Unknown(parameter.arg)
        self._must_import(known[0], full)
        self.note(f"{parameter.arg} = {known[1].name}(): {known[0].file}:{known[1].lineno}")
        return ast.Call(self._reference(known[1].name, full), [], [])

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


class _Names(ast.NodeTransformer):
    """Rewrites the names of a comprehension that are not its own."""

    def __init__(self, inliner: Inliner, scope: Scope, bound: set[str]) -> None:
        self.inliner, self.scope, self.bound = inliner, scope, bound

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return node if node.id in self.bound else self.inliner.plain(node, self.scope)
