"""TF1-style code: functions and classes that add variables to a graph, and `model_fn` of an Estimator."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from restore_guard.discovery.candidate import Candidate, initial, made_by, required
from restore_guard.discovery.kinds import Kinds
from restore_guard.discovery.modules import Function, Module, Project, methods

_TF = re.compile(r"^(tensorflow(\.compat\.v1)?|tf_slim|tensorflow\.contrib\.slim)\.")
_CREATES = re.compile(r"^(get_variable|Variable|layers\.\w+|conv2d|fully_connected|contrib\.\w+(\.\w+)*)$")
_TRAINS = {"Session", "InteractiveSession", "minimize", "apply_gradients", "Saver", "Estimator", "MonitoredSession"}
_GRAPH_ONLY = ("placeholder", "get_variable", "variable_scope", "compat.v1", "tensorflow.contrib", "tf_slim")


def candidates(project: Project, kinds: Kinds, module: Module) -> Iterator[Candidate]:
    """What adds a model to a graph in a module: what nothing else of that kind calls."""
    if not _is_graph_code(module):
        return
    creating = _creating(project, kinds, module)
    inner = {name for node in creating.values() for name in _called(project, module, node)}
    for name, node in creating.items():
        own = name.removeprefix(f"{module.name}.")
        if name in inner or own.startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            yield made_by(module, own, node, initial(project, module, node), "graph")
        elif is_model_fn(node) or not _trains(node):
            yield made_by(module, own, node, required(node.args), "graph")


def is_model_fn(node: ast.AST) -> bool:
    """Whether it is the function that an Estimator calls."""
    if not isinstance(node, Function):
        return False
    names = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
    return names[:1] == ["features"] and "mode" in names


def _is_graph_code(module: Module) -> bool:
    text = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)} | set(module.names.values())
    return any(word == part or word in part for word in _GRAPH_ONLY for part in text)


def _creating(project: Project, kinds: Kinds, module: Module) -> dict[str, ast.ClassDef | Function]:
    """The functions and classes of a module that create variables, also through one another."""
    blocks: dict[str, ast.ClassDef | Function] = {
        f"{module.name}.{name}": node
        for name, node in {**module.functions, **module.classes}.items()
        if not (isinstance(node, Function) and _trains(node) and not is_model_fn(node))
        and f"{module.name}.{name}" not in kinds.classes
        and not (isinstance(node, ast.ClassDef) and kinds.is_kerass(module, node))
        and not (isinstance(node, ast.ClassDef) and "__init__" not in methods(node))
    }
    found: dict[str, ast.ClassDef | Function] = {}
    while more := {
        name: node
        for name, node in blocks.items()
        if name not in found
        and any(call in found or _creates(call) for call in _called(project, module, node))
        and name not in kinds.builders
    }:
        found |= more
    return found


def _creates(name: str) -> bool:
    return _TF.match(name) is not None and _CREATES.match(_TF.sub("", name)) is not None


def _called(project: Project, module: Module, node: ast.AST) -> set[str]:
    return {_aliased(project, module, item.func) for item in ast.walk(node) if isinstance(item, ast.Call)}


def _aliased(project: Project, module: Module, function: ast.expr) -> str:
    """The full name of a function, through a short name that the module gives a part of TensorFlow."""
    name = project.resolve(module, function)
    for statement in module.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=short)], value=ast.Attribute() as value):
                own = f"{module.name}.{short}."
                if name.startswith(own):
                    return f"{project.resolve(module, value)}.{name.removeprefix(own)}"
    return name


def _trains(node: ast.AST) -> bool:
    calls = (item.func for item in ast.walk(node) if isinstance(item, ast.Call))
    return any(isinstance(call, ast.Attribute) and call.attr in _TRAINS for call in calls)
