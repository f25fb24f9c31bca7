"""A first call of a model as the source makes it, where that is more than the tensors that a configuration can say."""

from __future__ import annotations

import ast

from restore_guard.discovery import inputs
from restore_guard.discovery.inlining import Inliner, Scope, Unknown
from restore_guard.discovery.modules import Project
from restore_guard.discovery.sites import Site, Sites


def first_call(project: Project, sites: Sites, inliner: Inliner, site: Site) -> str | None:
    """The code after the name of what a site has made that calls or builds it; None where `inputs` can say it."""
    for call, function in inputs.calls_of(site):
        given = [*call.args, *(item.value for item in call.keywords)]
        scope = Scope(site.module, function, site.owner, call.lineno)
        is_method = isinstance(call.func, ast.Attribute) and ast.unparse(call.func) != site.bound
        method = call.func.attr if is_method and isinstance(call.func, ast.Attribute) else "__call__"
        if method not in ("__call__", "build") or not given:
            continue
        told = inputs.tensors(project, sites, given[0], scope, method == "build") if len(given) == 1 else None
        if told is not None and not call.keywords:
            return None
        try:
            arguments = [inliner.plain(item, scope) for item in call.args]
            named = [ast.keyword(item.arg, inliner.plain(item.value, scope)) for item in call.keywords]
        except Unknown:
            continue
        if method == "build":
            # Keras 3 does not build a subclassed model by that: only a call does.
            inliner.imports.setdefault("tf", "tensorflow")
            shape = ast.unparse([*arguments, *(item.value for item in named)][0])
            return f"(tf.zeros([size or 1 for size in {shape}]))"
        return ast.unparse(ast.Call(ast.Name("model", ast.Load()), arguments, named)).removeprefix("model")
    return None
