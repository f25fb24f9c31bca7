"""The module `restore_guard_models.py`: functions around what the configuration alone cannot call."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from restore_guard.discovery.attempts import Attempt
from restore_guard.discovery.candidate import Candidate
from restore_guard.python_text import parsed

MODULE = "restore_guard_models"
FILE = f"{MODULE}.py"
HEAD = '''"""Builders for restore-guard, which the models in its configuration are made with.

Each function imports what it needs by itself, so that a model depends on nothing else.
"""
'''


def function_name(name: str) -> str:
    """What the builder of a model is called."""
    return f"build_{re.sub(r'[^A-Za-z0-9]', '_', name).lower()}"


def function(candidate: Candidate, attempt: Attempt, name: str) -> str:
    """The source of the builder of one model."""
    made = f", as {attempt.place} makes it" if attempt.place else ""
    lines = [f"def {name}():", f'    """{candidate.target}{made}."""']
    lines += [f"    {line}" for line in sorted({_import(*item) for item in attempt.imports.items()})]
    lines += [""] + [f"    # {note}" for note in attempt.notes]
    return "\n".join([*lines, *(f"    {line}" for line in attempt.body)]) + "\n"


def module(functions: Iterable[str], before: str | None = None) -> str:
    """The whole file: new functions after those that it has."""
    head = (before or HEAD).rstrip("\n") + "\n"
    return "\n\n".join([head, *(text.rstrip("\n") + "\n" for text in functions)])


def targets(text: str) -> set[str]:
    """What the functions of such a file build, as their first lines say."""
    tree = parsed(text)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)] if tree is not None else []
    said = (ast.get_docstring(node) or "" for node in functions)
    return {re.split(r", as |\.?\n|\.$", line, maxsplit=1)[0] for line in said}


def _import(name: str, full: str) -> str:
    before, _, last = full.rpartition(".")
    alias = f" as {name}" if name != last else ""
    return f"from {before} import {last}{alias}" if before else f"import {last}{alias}"
