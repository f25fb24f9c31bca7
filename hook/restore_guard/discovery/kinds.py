"""What is a model in a project: its classes, the functions and methods that return one, attributes that hold one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from restore_guard.discovery.candidate import initialiser
from restore_guard.discovery.modules import (
    Function,
    Module,
    Project,
    all_calls,
    calls,
    is_main_guard,
    methods,
    own_nodes,
)
from restore_guard.discovery.parts import Uses, parts
from restore_guard.discovery.roles import MODULES, is_no_model
from restore_guard.discovery.tables import Tables

KERAS = re.compile(r"^(tensorflow\.keras|tensorflow\.compat\.v[12]\.keras|tensorflow\.python\.keras|keras|tf_keras)\.")
MODELS = {
    *("Model", "Sequential", "Functional", "models.Model", "models.Sequential", "models.Functional"),
    *("models.clone_model", "engine.training.Model", "engine.sequential.Sequential"),
}
WORK = {"fit", "fit_generator", "train_on_batch", "evaluate", "predict", "load_model", "load_weights", "restore"}
"""Calls of functions that do more than build: they train, or need a checkpoint."""
_OPTIONAL = {"load_weights", "restore"}
_KEEPS = {"save", "save_weights", "load_weights", "compile", "fit"}


def is_model(name: str) -> bool:
    """Whether a full name is a class of models, or a ready network of Keras."""
    if name in MODULES:
        return True
    inside = KERAS.sub("", name)
    if KERAS.match(name) is not None:
        return inside in MODELS or inside.startswith("applications.")
    # Keras, handed in as a global or an argument.
    return re.search(r"(^|\.)(models|keras)\.(Model|Sequential)$", name) is not None


class Kinds:
    """What is a model in a project.

    Attributes:
        classes: full names of the classes that are models, also through one another.
        builders: {function or method that returns a model: all that it calls for what it returns}.
        elements: {function that returns a tuple or dict: (index or key, label) of each element that is a model}.
        holders: classes that are no models and hold one.
        parts: classes and functions that other models are made of.
        others: classes that inherit from tf.Module and are no models.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.tables = Tables(project)
        self.classes = self._classes()
        self.others = frozenset(self._others())
        self.classes -= self.others
        self._functions = dict(self._all_functions())
        self._uses = Uses(project, self.tables, self._functions)
        self.builders = self._builders()
        self.elements = {name: found for name in self._functions if (found := list(self._elements(name)))}
        self.holders = frozenset(self._holders())
        self.parts = frozenset(self._parts())

    def is_model(self, name: str) -> bool:
        """Whether a full name is a class of models of Keras or TensorFlow, and none of the project's own."""
        return is_model(name) and self.project.definition(name) is None

    def returned_by(self, functions: Iterable[str]) -> set[str]:
        """What these functions return alone, also through one another: no need to name it beside them."""
        made: set[str] = set()
        waiting = [name for name in functions if not self.chooses(name)]
        while waiting:
            for target in self._project_targets(waiting.pop()):
                if target not in made:
                    made.add(target)
                    waiting.append(target)
        return made

    def chooses(self, function: str) -> bool:
        """Whether it only chooses between several models of the project, and makes nothing that they are made of."""
        targets = self._project_targets(function)
        return len(targets) > 1 and not self._uses.names(function) & self.classes - targets

    def _project_targets(self, function: str) -> set[str]:
        return {name for name in self.builders.get(function, ()) if name in self.classes or name in self.builders}

    def is_kerass(self, module: Module, owner: ast.ClassDef) -> bool:
        """Whether a class that is no model is a layer, a metric, a callback or the like."""
        if f"{module.name}.{owner.name}" in self.others:
            return False
        bases = [self.project.resolve(module, base) for base in owner.bases]
        return any(KERAS.match(base) or base.startswith(("tensorflow.", "sonnet.")) for base in bases) or any(
            known is not None and isinstance(known[1], ast.ClassDef) and self.is_kerass(known[0], known[1])
            for base in bases
            if base != f"{module.name}.{owner.name}" and (known := self.project.definition(base, module))
        )

    def _is_trackable(self, module: Module, owner: ast.ClassDef) -> bool:
        return f"{module.name}.{owner.name}" in self.classes or self.is_kerass(module, owner)

    def held(self, module: Module, owner: ast.ClassDef) -> dict[str, int]:
        """{attribute: line} of models that an instance holds once it is made."""
        found: dict[str, int] = {}
        for where, node in self._reached(module, owner):
            local = _assigned(node)
            for item in own_nodes(node):
                if not isinstance(item, ast.Assign | ast.AnnAssign) or item.value is None:
                    continue
                targets = item.targets if isinstance(item, ast.Assign) else [item.target]
                for target in targets:
                    is_own = isinstance(target, ast.Attribute) and _is_self(target.value)
                    if is_own and self._makes_model(where, owner, item.value, local):
                        assert isinstance(target, ast.Attribute)
                        found.setdefault(target.attr, item.lineno)
        return found

    def _reached(self, module: Module, owner: ast.ClassDef) -> Iterator[tuple[Module, Function]]:
        """`__init__` and the methods that it calls on the instance."""
        own = methods(owner)
        start = initialiser(self.project, module, owner)
        waiting, seen = [start] if start is not None else [], set()
        while waiting:
            where, node = waiting.pop(0)
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield where, node
            for call in calls(node):
                function = call.func
                if not isinstance(function, ast.Attribute):
                    continue
                if _is_self(function.value) and function.attr in own:
                    waiting.append((module, own[function.attr]))
                elif function.attr == "__init__":
                    above = next(iter(self._above(module, owner)), None)
                    waiting += [above] if above is not None else []

    def _above(self, module: Module, owner: ast.ClassDef) -> Iterator[tuple[Module, Function]]:
        for base in owner.bases:
            known = self.project.definition(self.project.resolve(module, base), module)
            if known is not None and isinstance(known[1], ast.ClassDef) and known[1] is not owner:
                found = initialiser(self.project, known[0], known[1])
                if found is not None:
                    yield found

    def among_work(self, module: Module) -> Iterator[tuple[str, str, int]]:
        """(function or "", variable, line) of models that are made and trained in one go."""
        blocks: list[tuple[str, ast.AST]] = [(name, node) for name, node in module.functions.items()]
        statements = [item for item in module.tree.body if not isinstance(item, Function | ast.ClassDef)]
        blocks.append(("", ast.Module(body=[item for item in statements if not is_main_guard(item)], type_ignores=[])))
        blocks += [("", item) for item in statements if is_main_guard(item)]
        for name, block in blocks:
            seen = set()
            for item in own_nodes(block):
                if isinstance(item, ast.Assign) and isinstance(item.value, ast.Call) and len(item.targets) == 1:
                    target, made = item.targets[0], self.project.resolve(module, item.value.func)
                    fresh = isinstance(target, ast.Name) and target.id not in seen
                    if fresh and self.is_model(made) and _does_work(block):
                        assert isinstance(target, ast.Name)
                        seen.add(target.id)
                        yield name, target.id, item.lineno

    def _classes(self) -> frozenset[str]:
        bases = {
            f"{module.name}.{name}": {self.project.resolve(module, base) for base in node.bases}
            for module in self.project.modules
            for name, node in module.classes.items()
        }
        found: set[str] = set()
        while more := {
            name
            for name, above in bases.items()
            if name not in found and any(self.is_model(b) or b in found for b in above)
        }:
            found |= more
        return frozenset(found)

    def _others(self) -> Iterator[str]:
        for module in self.project.modules:
            for name, node in module.classes.items():
                if f"{module.name}.{name}" in self.classes and is_no_model(self.project, module, node):
                    yield f"{module.name}.{name}"

    def _all_functions(self) -> Iterator[tuple[str, tuple[Module, ast.ClassDef | None, Function]]]:
        for module in self.project.modules:
            for name, node in module.functions.items():
                yield f"{module.name}.{name}", (module, None, node)
            for name, owner in module.classes.items():
                for method, node in methods(owner).items():
                    yield f"{module.name}.{name}.{method}", (module, owner, node)

    def _builders(self) -> dict[str, set[str]]:
        returned = {name: self._returned(*found) for name, found in self._functions.items()}
        found: dict[str, set[str]] = {}
        while True:
            more = {
                name: targets
                for name, called in returned.items()
                if name not in found
                and (
                    targets := {call for call in called if call in self.classes or call in found or self.is_model(call)}
                )
            }
            if not more:
                # All that a function may return, found since it was taken in.
                known = {*self.classes, *found}
                return {
                    name: {call for call in returned[name] if call in known or self.is_model(call)} for name in found
                }
            found |= more

    def _returned(self, module: Module, owner: ast.ClassDef | None, function: Function) -> list[str]:
        """What a function calls for the values that it returns, directly or through a variable."""
        values = [node.value for node in own_nodes(function) if isinstance(node, ast.Return) and node.value is not None]
        if not values or _does_work(function):
            return []
        local = _assigned(function)
        called = [self._called(module, owner, value, local) for value in values]
        # What a function of another package returns, only the annotation tells.
        return [name for names in called for name in names] + [self.project.resolve(module, function.returns)]

    def _called(
        self, module: Module, owner: ast.ClassDef | None, value: ast.expr, local: dict[str, list[ast.expr]]
    ) -> list[str]:
        match value:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self" | "cls"), attr=method)) if owner is not None:
                return [f"{module.name}.{owner.name}.{method}"]
            case ast.Call(func=function):
                return [self.project.resolve(module, function), *self.tables.picked(module, function, local)]
            case ast.Name(id=name):
                return [found for each in local.get(name, ()) for found in self._called(module, owner, each, {})]
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                assigned = local.get(f"self.{name}", ())
                return [found for each in assigned for found in self._called(module, owner, each, {})]
            case ast.IfExp(body=body, orelse=other):
                return [found for each in (body, other) for found in self._called(module, owner, each, local)]
        return []

    def _gives_model(
        self, module: Module, owner: ast.ClassDef | None, value: ast.expr, local: dict[str, list[ast.expr]]
    ) -> bool:
        called = self._called(module, owner, value, local)
        return any(self.is_model(name) or name in self.classes or name in self.builders for name in called)

    def _makes_model(
        self, module: Module, owner: ast.ClassDef | None, value: ast.expr, local: dict[str, list[ast.expr]]
    ) -> bool:
        """As `_gives_model`, where nothing else makes it that can be called by itself."""
        called = self._called(module, owner, value, local)
        if any(self._can_be_called(name) for name in called):
            return False
        return self._gives_model(module, owner, value, local)

    def is_made(self, module: Module, value: ast.expr) -> bool:
        """Whether an expression of a module's top level makes a model that nothing else makes."""
        return self._makes_model(module, None, value, {})

    def _can_be_called(self, name: str) -> bool:
        """Whether it is a function or class of the project that gives a model, and no method."""
        known = self._functions.get(name)
        is_function = name in self.builders and known is not None and known[1] is None
        return (is_function or name in self.classes) and not name.rpartition(".")[2].startswith("_")

    def hands_on(self, method: str) -> bool:
        """Whether a method only returns what a function or class of the project gives."""
        return any(map(self._can_be_called, self.builders.get(method, ())))

    def _holders(self) -> Iterator[str]:
        for module in self.project.modules:
            for name, owner in module.classes.items():
                if not self._is_trackable(module, owner) and self.held(module, owner):
                    yield f"{module.name}.{name}"

    def _elements(self, name: str) -> Iterator[tuple[str, str]]:
        module, owner, function = self._functions[name]
        if owner is not None or _does_work(function):
            return
        local = _assigned(function)
        for node in own_nodes(function):
            if not isinstance(node, ast.Return):
                continue
            if isinstance(node.value, ast.Tuple | ast.List):
                items = [(str(index), item) for index, item in enumerate(node.value.elts)]
            elif isinstance(node.value, ast.Dict):
                items = [
                    (ast.unparse(key), item)
                    for key, item in zip(node.value.keys, node.value.values, strict=True)
                    if key
                ]
            else:
                continue
            for index, item in items:
                if self._makes_model(module, None, item, local):
                    yield index, item.id if isinstance(item, ast.Name) else index.strip("'\"")
            return

    def _parts(self) -> Iterator[str]:
        bases = {self.project.resolve(module, base) for module, _, node in self._trackables() for base in node.bases}
        starts = {*self.builders, *self.elements}
        starts |= {f"{name}.{method}" for _, name, node in self._trackables() for method in methods(node)}
        holders = {name: set[str]() for name in self.holders}
        handed = set(self._handed())
        yield from parts(self._uses, starts, bases, handed, self.classes, {**holders, **self.builders})

    def _handed(self) -> Iterator[tuple[str, str]]:
        """(model, class of the project that it is constructed with an instance of), but for what only trains these."""
        for module, block, made, call in self._uses.calls():
            known = self.project.definition(made) if made in self.classes else None
            if known is None or self._only_trains(*known):
                continue
            local = {name: values for name, values in _assigned(block).items() if not _is_kept(block, name)}
            for value in [*call.args, *(item.value for item in call.keywords)]:
                given = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
                for name in (name for each in given for name in self._called(module, None, each, local)):
                    if name in self.classes and name != made:
                        yield made, name

    def _only_trains(self, module: Module, owner: ast.ClassDef | Function) -> bool:
        own = set(methods(owner)) if isinstance(owner, ast.ClassDef) else set()
        return "train_step" in own and not own & {"call", "__call__"}

    def _trackables(self) -> Iterator[tuple[Module, str, ast.ClassDef]]:
        """(module, full name, class) of what models are made by or in."""
        for module in self.project.modules:
            for name, node in module.classes.items():
                full = f"{module.name}.{name}"
                if self._is_trackable(module, node) or full in self.holders:
                    yield module, full, node


def _is_kept(block: ast.AST, name: str) -> bool:
    """Whether a block trains, saves or loads by itself what a variable holds."""
    for call in all_calls(block):
        match call.func:
            case ast.Attribute(value=ast.Name(id=owner), attr=method) if owner == name and method in _KEEPS:
                return True
            case ast.Name(id=made) | ast.Attribute(attr=made) if made.startswith("Checkpoint"):
                given = [*call.args, *(item.value for item in call.keywords)]
                if any(isinstance(item, ast.Name) and item.id == name for item in given):
                    return True
    return False


def _does_work(block: ast.AST) -> bool:
    """Whether it trains or loads, other than where an argument asks for it."""
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr in WORK
        and not (optional and call.func.attr in _OPTIONAL)
        for call, optional in _calls_and_conditions(block, False)
    )


def _calls_and_conditions(node: ast.AST, optional: bool) -> Iterator[tuple[ast.Call, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(child, ast.Call):
            yield child, optional
        yield from _calls_and_conditions(child, optional or isinstance(child, ast.If))


def _assigned(function: ast.AST) -> dict[str, list[ast.expr]]:
    """{variable or `self.attribute`: all that is assigned to it} in a function."""
    found: dict[str, list[ast.expr]] = {}
    for node in own_nodes(function):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name, value in _pairs(target, node.value):
                    found.setdefault(name, []).append(value)
    return found


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """(variable or `self.attribute`, value) of an assignment, also of several at once."""
    match target, value:
        case ast.Name(id=name), _:
            yield name, value
        case ast.Attribute(value=owner, attr=name), _ if _is_self(owner):
            yield f"self.{name}", value
        case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
            for pair in zip(targets, values, strict=True):
                yield from _pairs(*pair)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
