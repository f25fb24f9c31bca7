"""What names are bound to: the parameters of functions by calls and defaults, variables by what is assigned to them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from restore_guard.discovery.modules import Function, own_nodes


def given_to(call: ast.Call, function: Function, name: str, *, skips_first: bool) -> ast.expr | None:
    """What a call gives for a parameter of a function; None where it gives nothing.

    Args:
        skips_first: whether the first parameter is the instance.
    """
    for item in call.keywords:
        if item.arg == name:
            return item.value
    positional = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]][skips_first:]
    if name in positional and positional.index(name) < len(call.args):
        found = call.args[: positional.index(name) + 1]
        return None if any(isinstance(item, ast.Starred) for item in found) else found[-1]
    if default_of(function, name) is None:
        return next((_of_mapping(item.value, name) for item in call.keywords if item.arg is None), None)
    return None


def _of_mapping(mapping: ast.expr, name: str) -> ast.expr:
    """One of several named arguments that a call gives at once: of `**vars(args)`, `**config["model"]`."""
    found: ast.expr
    match mapping:
        case ast.Call(func=ast.Name(id="vars"), args=[given]):
            found = ast.Attribute(given, name, ast.Load())
        case ast.Attribute(value=given, attr="__dict__"):
            found = ast.Attribute(given, name, ast.Load())
        case _:
            found = ast.Subscript(mapping, ast.Constant(name), ast.Load())
    return ast.copy_location(found, mapping)


def default_of(function: Function, name: str) -> ast.expr | None:
    """The default of a parameter."""
    positional = [*function.args.posonlyargs, *function.args.args]
    with_default = positional[len(positional) - len(function.args.defaults) :]
    for argument, default in zip(with_default, function.args.defaults, strict=True):
        if argument.arg == name:
            return default
    for argument, named in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if argument.arg == name:
            return named
    return None


def parameter_of(function: Function, name: str) -> ast.arg | None:
    everything = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return next((argument for argument in everything if argument.arg == name), None)


def bound(name: str, block: ast.AST, line: int) -> list[ast.expr]:
    """What is assigned to a name or `self.name` before a line, the latest first."""
    found: list[ast.expr] = []
    for node in own_nodes(block):
        if getattr(node, "lineno", line) >= line:
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [value for target in targets for value in _unpacked(target, name, node.value)]
        elif isinstance(node, ast.With):
            found += [
                item.context_expr
                for item in node.items
                if item.optional_vars is not None and ast.unparse(item.optional_vars) == name
            ]
        elif isinstance(node, ast.For | ast.AugAssign) and name in _stored(node.target):
            found.append(ast.copy_location(ast.Starred(node.target, ast.Load()), node))  # not to be known
    return found[::-1]


def _stored(target: ast.expr) -> set[str]:
    return {item.id for item in ast.walk(target) if isinstance(item, ast.Name)}


def _unpacked(target: ast.expr, name: str, value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Name | ast.Attribute) and ast.unparse(target) == name:
        yield value
    elif isinstance(target, ast.Tuple | ast.List):
        for index, item in enumerate(target.elts):
            if not isinstance(item, ast.Name) or item.id != name:
                continue
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                yield value.elts[index]
            else:
                taken = ast.Subscript(value, ast.Constant(index), ast.Load())
                yield ast.copy_location(taken, value)


_FILLS = {
    *("read", "read_file", "read_string", "read_dict", "update", "override", "merge", "merge_with", "merge_from_file"),
    *("merge_from_list", "merge_from_dict", "load", "from_file", "set", "freeze"),
}
"""Methods of configurations that change them."""


def filled(name: str, block: ast.AST, first: int, last: int) -> list[tuple[str, ast.Call]]:
    """(method, call) of statements between two lines that read or merge something into what a variable holds."""
    found = []
    for node in own_nodes(block):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=known), attr=attribute)) as call):
                if known == name and attribute in _FILLS and first < node.lineno < last:
                    found.append((attribute, call))
    return found


def is_rest(value: ast.expr, function: Function | None) -> bool:
    """Whether it is what a function takes as `**rest`."""
    rest = function.args.kwarg if function is not None else None
    return rest is not None and isinstance(value, ast.Name) and value.id == rest.arg


def is_local(node: ast.Attribute, function: Function | None, line: int) -> bool:
    """Whether an attribute is one of a variable of a function, and not of a module."""
    start: ast.expr = node
    while isinstance(start, ast.Attribute):
        start = start.value
    if not isinstance(start, ast.Name) or function is None:
        return False
    return parameter_of(function, start.id) is not None or bool(bound(start.id, function, line))


def of_command(function: Function, name: str) -> ast.expr | None:
    """The default of a parameter, as it stands there or in what makes a command of the function: Click and Typer."""
    default = default_of(function, name)
    if isinstance(default, ast.Call) and ast.unparse(default.func) in ("typer.Option", "typer.Argument"):
        return default.args[0] if default.args else None
    if default is not None:
        return default
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(("option", "argument")):
            words = [str(item.value) for item in decorator.args if isinstance(item, ast.Constant)]
            own = [word for word in words if word.isidentifier()]  # Click takes that, else the longest option
            given = {item.arg: item.value for item in decorator.keywords}
            named = own or sorted((word.strip("-").replace("-", "_") for word in words), key=len)[-1:]
            if name in named:
                return given.get("default", ast.Constant(False) if "is_flag" in given else None)
    return None


def of_parameters(function: Function, name: str) -> ast.expr | None:
    """The first value that `pytest.mark.parametrize` gives for an argument of a test."""
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call) or not ast.unparse(decorator.func).endswith("mark.parametrize"):
            continue
        match decorator.args:
            case [ast.Constant(value=str(names)), ast.List(elts=[first, *_]) | ast.Tuple(elts=[first, *_])]:
                listed = [each.strip() for each in names.split(",")]
                if name not in listed:
                    continue
                if len(listed) == 1:
                    return first
                if isinstance(first, ast.Tuple | ast.List) and len(first.elts) == len(listed):
                    return first.elts[listed.index(name)]
    return None
