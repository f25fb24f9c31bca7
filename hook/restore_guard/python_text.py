"""Python source as a syntax tree, whatever is in it."""

from __future__ import annotations

import ast
import warnings


def parsed(source: str | bytes) -> ast.Module | None:
    """The tree of a source; None for what this Python cannot parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in somebody's string is not our message
            return ast.parse(source)
    # Half a character is a ValueError; too deep a nesting is one of the others, by the version of Python.
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
