"""Classes of models that begin with embeddings: whatever numbers they are called with, their variables are the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from restore_guard.discovery.inputs import Tensor, Tensors
from restore_guard.discovery.modules import Function, Module, Project, methods

_LENGTH = 8
_DEEPEST = 3


def of_class(project: Project, module: Module, owner: ast.ClassDef, depth: int = _DEEPEST) -> Tensors | None:
    """Numbers for each input of a class whose `call` looks all of them up; None where it does something else."""
    call = methods(owner).get("call") or methods(owner).get("__call__")
    parameters = call.args.args[1:] if call is not None else []
    if call is None or not parameters:
        return None
    names = _unpacked(call, parameters[0].arg) or [parameters[0].arg]
    if depth and all(_is_looked_up(project, module, owner, call, name, depth) for name in names):
        return (Tensor((_LENGTH,), "int32"),) * len(names)
    return None


def _unpacked(call: Function, name: str) -> list[str]:
    """The variables that hold the items of a parameter."""
    for node in ast.walk(call):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=items)], value=ast.Name(id=known)) if known == name:
                return [item.id for item in items if isinstance(item, ast.Name)]
    return []


def _is_looked_up(project: Project, module: Module, owner: ast.ClassDef, call: Function, name: str, depth: int) -> bool:
    for node in ast.walk(call):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=attribute), args=[ast.Name(id=given), *_]):
                if given != name:
                    continue
                made = {project.resolve(module, each.func) for each in _made(owner, attribute)}
                return bool(made) and all(_looks_up(project, module, each, depth) for each in made)
    return False


def _looks_up(project: Project, module: Module, name: str, depth: int) -> bool:
    if name.endswith(".layers.Embedding"):
        return True
    known = project.definition(name, module)
    if known is None or not isinstance(known[1], ast.ClassDef):
        return False
    return of_class(project, known[0], known[1], depth - 1) is not None


def _made(owner: ast.ClassDef, attribute: str) -> Iterator[ast.Call]:
    """The calls that make what an attribute holds."""
    for method in methods(owner).values():
        for node in ast.walk(method):
            match node:
                case ast.Assign(targets=[ast.Attribute(attr=name)], value=ast.Call() as made) if name == attribute:
                    yield made
