"""Where a project calls what makes its models, and what it does with them next."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from restore_guard.discovery.bindings import bound
from restore_guard.discovery.modules import Function, Module, Project, methods
from restore_guard.discovery.tables import Tables

_TRAINS = re.compile(r"(pre)?train|main|run|fit", re.IGNORECASE)
_READS = re.compile(
    r"eval|test|sampl|generat|convert|predict|infer|export|demo|serv|detect|visual|bench", re.IGNORECASE
)


class Site(msgspec.Struct, frozen=True, eq=False):
    """One call.

    Attributes:
        function, owner: around it; None at the top level of a module.
        block: the function, or the statements at the top level.
        bound: the variable or `self.attribute` that it is assigned to, "" where it is not.
        returned: whether it is what the function returns.
        partial: the `functools.partial` whose arguments come before those of the call.
    """

    module: Module
    function: Function | None
    owner: ast.ClassDef | None
    block: ast.AST
    call: ast.Call
    bound: str = ""
    returned: bool = False
    partial: Site | None = None

    @property
    def place(self) -> str:
        if self.partial is not None and not self.call.args and not self.call.keywords:
            return self.partial.place
        return f"{self.module.file}:{self.call.lineno}"


class Sites:
    """All calls of a project, by the full name of what they call."""

    def __init__(self, project: Project) -> None:
        tables = Tables(project)
        self._found: dict[str, list[Site]] = {}
        partials: dict[str, list[Site]] = {}
        for module in project.modules:
            for function, owner, block in _blocks(module):
                for call, variable, returned in _calls(block):
                    site = Site(module, function, owner, block, call, variable, returned)
                    for name in _called(project, tables, site):
                        self._found.setdefault(name, []).append(site)
                    inner = _partial(project, site)
                    if inner is not None:
                        partials.setdefault(project.resolve(module, inner.call.func), []).append(inner)
        for name, found in partials.items():
            known = self._found.get(name, [])
            by_name = [site for site in known if project.resolve(site.module, site.call.func) == name]
            picked = [replace(site, partial=each) for site in known if site not in by_name for each in found]
            kept = [replace(site, partial=each) for each in found for site in self._kept(each)]
            # What a partial is assigned to is no model, and whoever returns it returns none.
            alone = [replace(each, bound="", returned=False) for each in found]
            self._found[name] = [*kept, *picked, *alone, *by_name]

    def _kept(self, partial: Site) -> list[Site]:
        """The calls of the variable that holds a partial."""
        held = self._found.get(f"{partial.module.name}.{partial.bound}", ())
        return [site for site in held if partial.function is None or site.block is partial.block]

    def of(self, name: str) -> list[Site]:
        """The calls of a function or class: the project's own first, then those of examples and notebooks, then tests.

        Programs that train come before others, and those that only read a trained model come last.
        """
        return sorted(
            self._found.get(name, ()),
            key=lambda site: (site.module.rank, _purpose(site.module.file), not site.module.is_script),
        )

    def returned_by(self, function: ast.AST) -> set[str]:
        """The full names of what a function calls for what it returns."""
        return {
            name for name, found in self._found.items() for site in found if site.returned and site.function is function
        }

    def named(self, last: str) -> list[Site]:
        """The calls of what has this last name, wherever it comes from."""
        return [site for name, found in self._found.items() if name.rpartition(".")[2] == last for site in found]


def _partial(project: Project, site: Site) -> Site | None:
    """The call that a `functools.partial` will make, with the arguments that it knows already."""
    call = site.call
    if project.resolve(site.module, call.func) != "functools.partial" or not call.args:
        return None
    return replace(site, call=ast.copy_location(ast.Call(call.args[0], call.args[1:], call.keywords), call))


def _called(project: Project, tables: Tables, site: Site) -> Iterator[str]:
    """The full names of what a call may be of: by its name, picked from a table, or a method of what was made here."""
    name = project.resolve(site.module, site.call.func)
    if name and project.definition(name) is not None:
        yield name
        return
    line, is_method = site.call.lineno, isinstance(site.call.func, ast.Attribute)
    local = {each: [*filter(_is_lookup, bound(each, site.block, line))] for each in _names(site.call.func)}
    picked = set() if is_method else tables.picked(site.module, site.call.func, local)
    yield from picked or filter(None, [name])
    match site.call.func:
        case ast.Attribute(value=made, attr=method):
            held = [
                made,
                *(value for each in _holders(site, made) for value in bound(ast.unparse(made), each, 1 << 30)),
            ]
            owners = {project.resolve(site.module, each.func) for each in held if isinstance(each, ast.Call)}
            yield from (f"{each}.{method}" for each in sorted(owners - {""}) if project.definition(f"{each}.{method}"))


def _is_lookup(value: ast.expr) -> bool:
    """Whether a value may come from a table as it is, and is nothing that what comes from there has made."""
    return not isinstance(value, ast.Call) or isinstance(value.func, ast.Attribute)


def _names(node: ast.expr) -> set[str]:
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}


def _holders(site: Site, value: ast.expr) -> list[ast.AST]:
    """The blocks that may say what a variable or `self.attribute` holds."""
    if isinstance(value, ast.Name):
        return [site.block]
    is_own = isinstance(value, ast.Attribute) and ast.unparse(value.value) == "self"
    return [*methods(site.owner).values()] if is_own and site.owner is not None else []


def _purpose(file: str) -> int:
    """How much a file tells of the model that is trained."""
    name = file.rpartition("/")[2]
    return 0 if _TRAINS.match(name) else 2 if _READS.match(name) else 1


def _blocks(module: Module) -> Iterator[tuple[Function | None, ast.ClassDef | None, ast.AST]]:
    statements = [item for item in module.tree.body if not isinstance(item, Function | ast.ClassDef)]
    yield None, None, ast.Module(body=statements, type_ignores=[])
    for node in _functions(module.tree):
        yield node, None, node
    for owner in module.classes.values():
        for method in methods(owner).values():
            yield method, owner, method
            yield from ((node, owner, node) for node in _functions(method))


def _functions(tree: ast.AST) -> Iterator[Function]:
    """Functions in it, also those in one another, without the methods of classes."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, Function):
            yield child
        if not isinstance(child, ast.ClassDef):
            yield from _functions(child)


def _calls(block: ast.AST) -> Iterator[tuple[ast.Call, str, bool]]:
    """(call, what it is assigned to, whether it is returned) of a block's own statements."""
    returned_names = {
        node.value.id for node in _own(block) if isinstance(node, ast.Return) and isinstance(node.value, ast.Name)
    }
    variables: dict[int, str] = {}
    returned = set()
    for node in _own(block):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            variables[id(node.value)] = ast.unparse(node.targets[0])
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
            returned.add(id(node.value))
    for node in _own(block):
        if isinstance(node, ast.Call):
            name = variables.get(id(node), "")
            yield node, name, id(node) in returned or name in returned_names


def _own(block: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(block):
        if not isinstance(child, Function | ast.ClassDef):
            yield child
            yield from _own(child)
