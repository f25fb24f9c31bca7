"""Python sources apart from their layout: what a comment, a blank line, a docstring or a formatter cannot change."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache

from restore_guard.build import Spot
from restore_guard.python_text import parsed

# A tree takes many times the memory of its source.
_TREES = 16

# The nodes that have a place in the source.
_PLACED = (ast.stmt, ast.expr, ast.excepthandler, ast.arg, ast.keyword, ast.alias, ast.pattern)

# A place in a tree: the number of a node in the order of `ast.walk`, and whether its end is meant.
Point = tuple[int, bool]


@cache
def digest(source: bytes) -> str:
    """The same for two sources that differ in layout, comments and docstrings alone."""
    found = tree(source)
    try:
        text = ast.dump(found).encode("utf-8", "surrogatepass") if found is not None else source
    except RecursionError:
        text = source
    return hashlib.sha256(text).hexdigest()


@lru_cache(_TREES)
def tree(source: bytes) -> ast.Module | None:
    """The syntax tree without docstrings; None for what this Python cannot parse."""
    found = parsed(source)
    for node in ast.walk(found) if found is not None else ():
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())), *rest]:
                    node.body = rest
    return found


def points(source: bytes, spot: Spot) -> list[Point]:
    """Where a spot is in the tree of its source: the node that ran, else all that begins or ends at its line."""
    at_line: list[Point] = []
    exact: list[Point] = []
    for number, node in enumerate(_nodes(source)):
        if not isinstance(node, _PLACED):
            continue
        if (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset) == spot[1:]:
            exact = [(number, False)]  # of an expression and its statement, the expression
        at_line += [(number, end) for end in (False, True) if (node.end_lineno if end else node.lineno) == spot.line]
    return exact or at_line


def line(source: bytes, found: Sequence[Point]) -> int | None:
    """The line that Python gives to what is at these points of a source; None where they do not agree on one."""
    nodes = _nodes(source)
    lines = set()
    for number, end in found:
        node = nodes[number]
        if not isinstance(node, _PLACED) or (len(found) == 1 and _is_spread(node)):
            return None
        lines.add(node.end_lineno if end else node.lineno)
    return lines.pop() if len(lines) == 1 else None


@lru_cache(_TREES)
def _nodes(source: bytes) -> list[ast.AST]:
    parsed = tree(source)
    return list(ast.walk(parsed)) if parsed is not None else []


def _is_spread(node: ast.AST) -> bool:
    """True for an attribute on another line than what it is of: Python gives the one line or the other."""
    attribute = node.func if isinstance(node, ast.Call) else node
    return isinstance(attribute, ast.Attribute) and attribute.lineno != attribute.end_lineno
