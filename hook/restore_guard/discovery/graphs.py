"""TF1-style code: functions and classes that add variables to a graph, and `model_fn` of an Estimator."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from restore_guard.discovery.candidate import Candidate, initial, initialiser, made_by, required
from restore_guard.discovery.kinds import Kinds
from restore_guard.discovery.modules import Function, Module, Project

_TF = re.compile(r"^(tensorflow(\.compat\.v1)?|tf_slim|tensorflow\.contrib\.slim)\.")
_CREATES = re.compile(r"^(get_variable|Variable|layers\.\w+|conv2d|fully_connected|contrib\.(layers|slim|rnn)\.\w+)$")
_TRAINS = {"Session", "InteractiveSession", "minimize", "apply_gradients", "Saver", "Estimator", "MonitoredSession"}
_GRAPH_ONLY = ("placeholder", "get_variable", "variable_scope", "compat.v1", "tensorflow.contrib", "tf_slim")
_PROGRAMS = {
    *("main", "train", "training", "test", "eval", "evaluate", "run", "predict", "synthesize", "synthesis", "sample"),
    *("infer", "export", "serve", "serving", "stats", "summary", "summaries", "log", "restore", "save", "load", "show"),
    *("optimizer", "loss", "losses", "mode", "step", "tower"),
}
"""Words in the names of functions that do something with a model."""


class _Block(NamedTuple):
    """A function or class of a module."""

    module: Module
    node: ast.ClassDef | Function


def candidates(project: Project, kinds: Kinds) -> Iterator[Candidate]:
    """What adds a model to a graph in a project: what nothing else of that kind uses."""
    creating = _creating(project, kinds)
    inner = {used for name, block in creating.items() for used in _inside(project, block) if used != name}
    inner |= {used for module in project.modules if module.is_product for used in _used_beside(project, module)}
    helpers = {
        creating[used].module.name
        for block in creating.values()
        for used in _inside(project, block) & creating.keys()
        if creating[used].module is not block.module
    }
    run = {used for module in project.modules if module.is_script for used in _names(project, module, module.tree)}
    for name, (module, node) in creating.items():
        if isinstance(node, Function) and module.name in helpers and name not in run and not is_model_fn(node):
            continue  # one of many parts, which nothing uses now
        own = name.removeprefix(f"{module.name}.")
        is_program = isinstance(node, Function) and not is_model_fn(node) and _PROGRAMS & {*own.lower().split("_")}
        if name in inner or own.startswith("_") or is_program:
            continue
        if module.is_script and any(used in creating for used in _used(project, _Block(module, node)) - inner):
            continue  # a program, around what other modules make
        if isinstance(node, ast.ClassDef):
            if initialiser(project, module, node) is not None:
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
    return any(_says(module, word) for word in _GRAPH_ONLY)


def _says(module: Module, word: str) -> bool:
    """Whether a name in a module has this in it."""
    text = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)} | set(module.names.values())
    return any(word in part for part in text)


def _creating(project: Project, kinds: Kinds) -> dict[str, _Block]:
    """The functions and classes of a project that create variables, also through one another."""
    product = [module for module in project.modules if module.is_product]
    in_graphs = [module for module in product if _is_graph_code(module)]
    if not in_graphs:
        return {}
    blocks = {
        name: _Block(module, node)
        for module in product
        for short, node in {**module.functions, **module.classes}.items()
        if (name := f"{module.name}.{short}") not in kinds.classes
        and name not in kinds.builders
        and not (isinstance(node, Function) and _trains(node) and not is_model_fn(node))
        and not (isinstance(node, ast.ClassDef) and (kinds.is_kerass(module, node) or name in kinds.holders))
    }
    used = {name: _used(project, block) for name, block in blocks.items()}
    # Helpers that make variables do not say themselves that it is for a graph.
    everywhere = any(_says(module, "placeholder") for module in in_graphs)
    starts = {module.name for module in (product if everywhere else in_graphs)}
    found: dict[str, _Block] = {}
    while more := {
        name: block
        for name, block in blocks.items()
        if name not in found
        and any(each in found or (_creates(each) and block.module.name in starts) for each in used[name])
    }:
        found |= more
    return found


def _creates(name: str) -> bool:
    return _TF.match(name) is not None and _CREATES.match(_TF.sub("", name)) is not None


def _used(project: Project, block: _Block) -> set[str]:
    """The full names of what a function or class calls, hands on or inherits from."""
    return _names(project, block.module, block.node)


def _inside(project: Project, block: _Block) -> set[str]:
    """What is a part of what a function or class makes: all that it uses; of a program, only of the same file."""
    used = _used(project, block)
    if not block.module.is_script:
        return used
    return {name for name in used if name.rpartition(".")[0] == block.module.name}


def _used_beside(project: Project, module: Module) -> set[str]:
    """What the statements of a module that are no definitions hand on, as `partial(conv, 3)` does."""
    if module.is_script:
        return set()
    return {
        name
        for item in module.tree.body
        if isinstance(item, ast.Assign)
        for name in _names(project, module, item.value)
    }


def _names(project: Project, module: Module, node: ast.AST) -> set[str]:
    parts = (item for item in ast.walk(node) if isinstance(item, ast.Name | ast.Attribute))
    return {project.resolve(module, item) for item in parts if isinstance(item.ctx, ast.Load)}


def _trains(node: ast.AST) -> bool:
    calls = (item.func for item in ast.walk(node) if isinstance(item, ast.Call))
    return any(isinstance(call, ast.Attribute) and call.attr in _TRAINS for call in calls)
