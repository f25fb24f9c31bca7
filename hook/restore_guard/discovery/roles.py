"""Which classes of tf.Module are no models: they train, export, prepare or optimize, or create nothing."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from restore_guard.discovery.candidate import initialiser, required, snake
from restore_guard.discovery.modules import Function, Module, Project, all_calls, methods

MODULES = {"tensorflow.Module", "sonnet.Module"}
TAKEN = {"model", "models", "keras_model", "base_model", "net", "network"}
"""Arguments of what makes something else of a model that is there."""
_VARIABLES = {"variables", "trainable_variables", "params", "parameters", "var_list"}
_ROLES = {
    *("trainer", "loss", "losses", "metric", "metrics", "optimizer", "schedule", "scheduler", "rate", "decay"),
    *("plateau", "augment", "augmenter", "augmentation", "featurizer", "tokenizer", "vectorizer", "preprocessor"),
    *("postprocessor", "exporter", "server", "buffer", "sampler", "dataset", "loader", "reader", "callback"),
    *("logger", "writer", "saver", "checkpointer", "environment", "evaluator", "runner", "manager", "strategy"),
}
"""Last words of the names of what works on models, or beside them."""
_FORWARD = {"__call__", "call"}
_OPTIMIZES = {"apply_gradients", "minimize"}
_BASES = MODULES | {"abc.ABC", "object", "typing.Generic", "typing.Protocol"}
_PLAIN = ("tensorflow.", "numpy.", "math.", "os.", "abc.", "time.", "random.", "logging.", "collections.")
_CREATE = (
    "tensorflow.Variable",
    "tensorflow.keras.",
    "tensorflow.compat.",
    "tensorflow.python.",
    "tensorflow.contrib.",
)


def is_no_model(project: Project, module: Module, owner: ast.ClassDef) -> bool:
    """Whether a class that inherits from tf.Module, and from nothing else of a framework, is something else."""
    if not is_only_module(project, module, owner):
        return False
    chain = list(_chain(project, module, owner))
    own = {name for _, each in chain for name in methods(each)}
    start = initialiser(project, module, owner)
    needed = {*(required(start[1].args)[1:] if start is not None else ())}
    if needed & (TAKEN | _VARIABLES) or own & _OPTIMIZES or snake(owner.name).rpartition("_")[2] in _ROLES:
        return True
    if not own & _FORWARD and any(_trains(project, *each) for each in chain):
        return True
    written = [(where, method) for where, each in chain for method in methods(each).values()]
    if not written or any(_creates(project, where, method, set()) for where, method in written):
        return False
    # Joined of several parts that it is handed, it is a model; around one, it is none.
    return len({part for _, each in chain for part in _called_parts(each)} - own) < 2


def is_only_module(project: Project, module: Module, owner: ast.ClassDef) -> bool:
    """Whether a class inherits from nothing but tf.Module, Sonnet's, and the project's own classes."""
    bases = {project.resolve(where, base) for where, each in _chain(project, module, owner) for base in each.bases}
    return all(base in _BASES or project.definition(base) is not None for base in bases)


def _chain(project: Project, module: Module, owner: ast.ClassDef) -> Iterator[tuple[Module, ast.ClassDef]]:
    """A class and all of the project that it inherits from."""
    waiting, seen = [(module, owner)], set()
    while waiting:
        where, node = waiting.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield where, node
        for base in node.bases:
            known = project.definition(project.resolve(where, base), where)
            if known is not None and isinstance(known[1], ast.ClassDef):
                waiting.append((known[0], known[1]))


def _trains(project: Project, module: Module, owner: ast.ClassDef) -> bool:
    """Whether it trains what another class, of the project or of Keras, has made."""
    called = {project.resolve(module, call.func) for call in all_calls(owner)}
    known = (project.definition(name, module) for name in called)
    makes = any(found is not None and isinstance(found[1], ast.ClassDef) for found in known)
    makes |= any(name.endswith((".Sequential", ".keras.Model", ".models.Model")) for name in called)
    return makes and "tensorflow.GradientTape" in called


def _called_parts(owner: ast.ClassDef) -> Iterator[str]:
    """The attributes of an instance that it calls."""
    for call in all_calls(owner):
        match call.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                yield name


def _creates(project: Project, module: Module, function: Function, seen: set[str]) -> bool:
    """Whether a function may create a variable or a layer: it calls what does, or what only a caller knows."""
    for call in all_calls(function):
        name = project.resolve(module, call.func)
        known = project.definition(name, module)
        if known is not None and isinstance(known[1], Function):
            if name not in seen and _creates(project, known[0], known[1], seen | {name}):
                return True
        elif known is not None or _may_create(module, call.func, name):
            return True
    return False


def _may_create(module: Module, function: ast.expr, name: str) -> bool:
    if name.startswith(_CREATE):
        return True
    match function:
        case ast.Name(id=short) if short not in module.names:
            return not hasattr(builtins, short)
        case ast.Name() | ast.Attribute() if name and not name.startswith(f"{module.name}."):
            return not name.startswith(_PLAIN)
        case ast.Attribute(attr=last):  # of an object, such as a configuration
            return last[:1].isupper() or last.endswith(("_fn", "_class", "_cls"))
    return isinstance(function, ast.Call | ast.Subscript) and not _is_super(function)


def _is_super(function: ast.expr) -> bool:
    return isinstance(function, ast.Call) and isinstance(function.func, ast.Name) and function.func.id == "super"
