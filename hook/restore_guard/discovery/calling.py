"""A first call of a model as the source makes it, where that is more than the tensors that a configuration can say."""

from __future__ import annotations

import ast

from restore_guard.discovery import inputs
from restore_guard.discovery.inlining import Inliner, Scope, Unknown
from restore_guard.discovery.modules import Project
from restore_guard.discovery.sites import Site, Sites


def first_call(project: Project, sites: Sites, inliner: Inliner, site: Site) -> str | None:
    """What stands between the parentheses of the first call of what a site has made; None where `inputs` can say it."""
    for call in inputs.calls_of(site):
        given = [*call.args, *(item.value for item in call.keywords)]
        scope = Scope(site.module, site.function, site.owner, call.lineno)
        if isinstance(call.func, ast.Attribute) and call.func.attr != "__call__" or not given:
            continue
        if not call.keywords and len(given) == 1 and inputs.tensors(project, sites, given[0], scope) is not None:
            return None
        try:
            arguments = [inliner.plain(item, scope) for item in call.args]
            named = [ast.keyword(item.arg, inliner.plain(item.value, scope)) for item in call.keywords]
        except Unknown:
            continue
        return ast.unparse(ast.Call(ast.Name("model", ast.Load()), arguments, named)).removeprefix("model")
    return None
