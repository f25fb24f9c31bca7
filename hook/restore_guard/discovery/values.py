"""Expressions whose value is known from their text alone."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_LARGE = 10_000_000
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{"len": len, "int": int, "float": float, "tuple": tuple, "list": list},
    **{"max": max, "min": min, "sum": sum, "round": round},
}


def is_known(node: ast.expr) -> bool:
    """Whether `constant` gives a value."""
    try:
        constant(node)
    except ValueError:
        return False
    return True


def constant(node: ast.expr) -> Any:
    """The value of an expression of literals.

    Raises:
        ValueError: only running it would tell.
    """
    try:
        return _constant(node)
    except (TypeError, ArithmeticError, LookupError) as error:
        raise ValueError(str(error)) from error


def _constant(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Tuple(elts=items):
            return tuple(_constant(item) for item in items)
        case ast.List(elts=items):
            return [_constant(item) for item in items]
        case ast.Dict(keys=keys, values=items) if all(keys):
            return {_constant(key): _constant(item) for key, item in zip(keys, items, strict=True) if key}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_constant(operand)
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            return _power(_constant(left), _constant(right))
        case ast.BinOp(op=operation, left=left, right=right) if type(operation) in _OPERATORS:
            return _bounded(_OPERATORS[type(operation)](_constant(left), _constant(right)))
        case ast.Subscript(value=value, slice=ast.expr() as index) if not isinstance(index, ast.Slice):
            return _constant(value)[_constant(index)]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*map(_constant, arguments))
    raise ValueError(ast.unparse(node))


def _power(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, int | float) or abs(exponent) > 64:
        raise ValueError("too large")
    return _bounded(base**exponent)


def _bounded(value: Any) -> Any:
    if isinstance(value, str | list | tuple) and len(value) > _LARGE:
        raise ValueError("too large")
    return value
