"""Small questions about Python syntax: what an expression uses, what a call hands over, what a statement sets."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# What runs at a line: a default of a lambda is in no other statement.
Statement = ast.stmt | ast.Lambda

_BODIES = {"body", "orelse", "finalbody", "handlers", "cases"}
_ENDINGS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def lines(node: ast.expr | ast.stmt) -> range:
    """The lines of an expression or statement."""
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def leaf(node: ast.AST) -> str:
    """The last name of an expression such as `tf.keras.Model`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def parts(statement: Statement) -> list[ast.AST]:
    """The expressions of a statement; of a compound one those of its head."""
    found: list[ast.AST] = []
    for name, value in ast.iter_fields(statement):
        if name not in _BODIES or not isinstance(value, list):
            found += [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, ast.AST)]
    return found


def call_named(name: str, statement: Statement) -> ast.Call | None:
    """The first call in a statement of what has a name."""
    calls = (node for part in parts(statement) for node in ast.walk(part) if isinstance(node, ast.Call))
    return next((node for node in calls if name and leaf(node.func) == name), None)


def call_of(function: Function, owner: ast.ClassDef | None, statement: Statement) -> ast.Call | None:
    """The call in a statement that entered a function; `owner` is the class that it is a method of."""
    name = getattr(function, "name", "")
    names = (owner.name, "__init__", "cls") if name == "__init__" and owner is not None else (name,)
    return next((call for name in names if (call := call_named(name, statement)) is not None), None)


Use = ast.Constant | ast.Attribute | tuple[str, ast.Call | None]


def used(part: ast.AST, data: bool) -> Iterator[Use]:
    """The strings, attributes and names (with what calls them) that an expression is made of.

    Args:
        data: whether what a layer is called with, as in `Dense(3)(x)`, counts.
    """
    waiting: list[tuple[ast.AST, ast.Call | None]] = [(part, None)]
    while waiting:
        node, call = waiting.pop()
        match node:
            case ast.Call():
                waiting.append((node.func, node))
                if data or not isinstance(node.func, ast.Call):
                    waiting += [(item, None) for item in (*node.args, *(word.value for word in node.keywords))]
            case ast.Attribute():
                yield node
                waiting.append((node.value, None))
            case ast.Name():
                yield node.id, call
            case ast.Constant(value=str()):
                yield node
            case _:
                waiting += [(item, None) for item in ast.iter_child_nodes(node)]


def parameters(function: Function) -> list[str]:
    """The names of all parameters of a function."""
    given = function.args
    found = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [item.arg for item in found if item is not None]


def default(function: Function, name: str) -> ast.expr | None:
    """The default of a parameter."""
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    found: dict[str, ast.expr | None] = {}
    found |= zip([item.arg for item in plain[len(plain) - len(given.defaults) :]], given.defaults, strict=True)
    found |= zip([item.arg for item in given.kwonlyargs], given.kw_defaults, strict=True)
    return found.get(name)


def argument(call: ast.Call, function: Function, name: str, is_method: bool) -> tuple[list[ast.expr], bool]:
    """Returns (what a call hands over for a parameter, whether that is certain); nothing where the default serves."""
    given = function.args
    plain = [item.arg for item in (*given.posonlyargs, *given.args)][is_method:]
    spread = [item.value for item in call.args if isinstance(item, ast.Starred)]
    spread += [word.value for word in call.keywords if word.arg is None]
    for word in call.keywords:
        if word.arg == name:
            return [word.value], True
    if (
        name in plain
        and plain.index(name) < len(call.args)
        and not any(isinstance(item, ast.Starred) for item in call.args[: plain.index(name) + 1])
    ):
        return [call.args[plain.index(name)]], True
    if given.vararg is not None and name == given.vararg.arg:
        return list(call.args[len(plain) :]), True
    if given.kwarg is not None and name == given.kwarg.arg:
        return [word.value for word in call.keywords if word.arg not in plain], True
    return spread, False


def sets(target: ast.AST | None, name: str) -> bool:
    """Whether an assignment to `target` sets the attribute of that name of an object."""
    match target:
        case ast.Attribute(value=ast.Name(), attr=attribute):
            return attribute == name
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return any(sets(item, name) for item in items)
    return False


def exits(statement: ast.AST, around: ast.AST | None) -> Iterator[ast.If]:
    """The conditions before a statement, in the same body, that would have left it."""
    for field in ("body", "orelse"):
        body = getattr(around, field, None)
        if isinstance(body, list) and statement in body:
            for node in body[: body.index(statement)]:
                if isinstance(node, ast.If) and isinstance(node.body[-1], _ENDINGS):
                    yield node


def reaching(statement: Statement, bindings: Sequence[ast.stmt], around: Sequence[ast.AST]) -> Iterator[ast.stmt]:
    """The bindings of a name, in their order, that may hold at a statement; `around` is what it is in."""
    loops = [node for node in around if isinstance(node, ast.For | ast.AsyncFor | ast.While)]
    for node in bindings:
        if node.lineno >= statement.lineno and any(node in ast.walk(loop) for loop in loops):
            yield node
    for node in reversed([node for node in bindings if node.lineno < statement.lineno]):
        yield node
        if node in around or any(node in getattr(outer, "body", ()) for outer in around):
            return
