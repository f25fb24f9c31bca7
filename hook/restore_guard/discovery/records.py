"""Classes of plain fields: dataclasses, NamedTuples, pydantic models, and what is made of them."""

from __future__ import annotations

import ast

from restore_guard.discovery.modules import methods


def field(made: ast.Call, owner: ast.ClassDef | None, name: str) -> tuple[ast.expr | None, ast.expr | None]:
    """(what a call gives for a field, the default of the field); None for what is not there.

    Args:
        owner: the class that is called, where it is one of the project.
    """
    given = next((item.value for item in made.keywords if item.arg == name), None)
    if given is not None or owner is None:
        return given, None
    for index, item in enumerate(_fields(owner)):
        if isinstance(item.target, ast.Name) and item.target.id == name:
            return (made.args[index], None) if index < len(made.args) else (None, item.value)
    return None, None


def has_defaults(owner: ast.ClassDef) -> bool:
    """Whether a class is made without arguments: all its fields have defaults, or its constructor asks for nothing."""
    made = methods(owner).get("__init__")
    if made is not None:
        return len(made.args.args) - len(made.args.defaults) <= 1
    fields = _fields(owner)
    return bool(fields) and all(item.value is not None for item in fields)


def _fields(owner: ast.ClassDef) -> list[ast.AnnAssign]:
    return [item for item in owner.body if isinstance(item, ast.AnnAssign)]
