"""The arguments that a call of the source gives, rewritten so that they can stand in a function of their own."""

from __future__ import annotations

import ast
from typing import NamedTuple

from restore_guard.discovery import datasets, options
from restore_guard.discovery.bindings import default_of, is_rest
from restore_guard.discovery.inlining import Inliner, Scope, Unknown
from restore_guard.discovery.modules import Function, Module, Project
from restore_guard.discovery.sites import Site


class Given(NamedTuple):
    """What a call gives: by position, and by name."""

    positional: list[ast.expr]
    named: list[ast.keyword]


class Arguments:
    """Rewrites the arguments of the calls of a project.

    Args:
        leave_out: what nothing tells keeps its default where it has one; placeholder: it is None where it has none.
    """

    def __init__(self, project: Project, *, leave_out: bool = False, placeholder: bool = False) -> None:
        self.project, self.leave_out, self.placeholder = project, leave_out, placeholder

    def of(self, inliner: Inliner, site: Site, function: Function | None) -> Given:
        """The arguments of a call of `function`.

        Raises:
            Unknown: one is nowhere in the source.
        """
        scope = Scope(site.module, site.function, site.owner, site.call.lineno)
        found = self.of(inliner, site.partial, function) if site.partial is not None else Given([], [])
        for index, item in enumerate(site.call.args, len(found.positional)):
            name = _name(function, site.call, index)
            if isinstance(item, ast.Starred):
                raise Unknown(ast.unparse(item))
            value = self._value(inliner, scope, item, site, function, name)
            if value is None:
                continue
            if len(found.positional) == index:
                found.positional.append(value)
            elif name is not None:
                found.named.append(ast.keyword(name, value))
            else:
                raise Unknown(ast.unparse(item))
        for keyword in site.call.keywords:
            if keyword.arg is None and site.function is not None and is_rest(keyword.value, site.function):
                found.named.extend(inliner.handed_on(site.function, scope))
                continue
            value = self._value(inliner, scope, keyword.value, site, function, keyword.arg)
            found.named[:] = [item for item in found.named if item.arg != keyword.arg]  # what a partial said before
            if value is not None:
                found.named.append(ast.keyword(keyword.arg, value))
        return found

    def _value(
        self, inliner: Inliner, scope: Scope, value: ast.expr, site: Site, function: Function | None, name: str | None
    ) -> ast.expr | None:
        """An argument; where nothing tells it, the option of the same name; None where it is left out."""
        try:
            return inliner.plain(value, scope)
        except Unknown:
            data = datasets.told(self.project, site, value)
            if data is not None:
                inliner.note(f"{name or ast.unparse(value)} = {ast.unparse(data.value)}: {data.place}")
                return data.value
            if name is None:
                raise
            try:
                return option(self.project, inliner, name, site.module)
            except Unknown:
                if function is None or not (self.leave_out or self.placeholder):
                    raise
        said = f"{site.place} gives {ast.unparse(value)}, which only running it tells"
        if default_of(function, name) is not None:
            inliner.note(f"{name} keeps its default: {said}")
            return None
        if not self.placeholder:
            raise Unknown(name)
        inliner.note(f"{name} = None: {said}")
        return ast.Constant(None)


def option(project: Project, inliner: Inliner, name: str, near: Module) -> ast.expr:
    """The default of an option of this name, of the program or of any other of the project.

    Raises:
        Unknown: there is none.
    """
    if options.names_configuration(name):
        raise Unknown(name)
    parsers = (
        options.of_parser(module) for module in sorted(project.modules, key=lambda it: (it is not near, it.rank))
    )
    for known in (*parsers, options.of_flags(project, near)):
        found = known.get(name)
        if found is not None and isinstance(found.default, ast.Constant) and found.default.value is not None:
            inliner.note(f"{name} = {ast.unparse(found.default)}: {found.text}")
            return found.default
    raise Unknown(name)


def _name(function: Function | None, call: ast.Call, index: int) -> str | None:
    """The parameter that a positional argument is for."""
    if function is None:
        return None
    names = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
    names = names[bool(names[:1] in (["self"], ["cls"]) and isinstance(call.func, ast.Name | ast.Attribute)) :]
    return names[index] if index < len(names) else None
