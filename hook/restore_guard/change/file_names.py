"""How the file that a call names ends, as far as its expression says: the end alone tells the format."""

from __future__ import annotations

import ast
from collections.abc import Callable

JOINS = ("join", "joinpath", "Path", "PurePath", "PosixPath", "str", "fspath")
"""Calls of which the last argument is the end of the path that they make."""
NAMES_SAY = ("with_suffix", "with_name")


def ending(node: ast.expr | None, value: Callable[[ast.expr], ast.expr | None]) -> str | None:
    """The last part of a path, at least as far as its suffix; None where it is no constant.

    Args:
        value: what an expression stands for: that which its name was bound to.
    """
    node = value(node) if node is not None else None
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[*_, ast.Constant(value=str(text))]):
            return text
        case ast.BinOp(left=left, op=ast.Mod()):
            return ending(left, value)
        case ast.BinOp(right=right, op=ast.Add() | ast.Div()):
            return ending(right, value)
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            return ending(text, value)
        case ast.Call(func=ast.Attribute(attr=attr) | ast.Name(id=attr), args=[*_, last]) if attr in JOINS + NAMES_SAY:
            return ending(last, value)
    return None
