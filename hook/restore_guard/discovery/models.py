"""Which functions, classes, attributes and elements of a project are models: `Candidate`s."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec.structs import replace

from restore_guard.discovery import graphs, top_level
from restore_guard.discovery.candidate import (
    PLAIN_NAMES,
    Candidate,
    initial,
    made_by,
    named,
    of_module,
    required,
    snake,
)
from restore_guard.discovery.kinds import Kinds
from restore_guard.discovery.modules import Module, Project, methods
from restore_guard.discovery.roles import TAKEN
from restore_guard.discovery.work import at_import

_ONLY_MODEL = ("model", "net", "network", "keras_model")


def candidates(project: Project) -> list[Candidate]:
    """The models of a project, those that need no arguments first, in the order of their files."""
    kinds = Kinds(project)
    wanted = [module for module in project.modules if module.is_product]
    found = [each for module in wanted for each in _of_module(project, kinds, module)]
    covered = kinds.returned_by([each.called for each in found if each.kind == "function"])
    found = [each for each in found if each.called not in kinds.parts and (each.part or each.called not in covered)]
    found = [each for each in found if each.part or not kinds.chooses(each.called)]
    found = [each for each in found if each.kind != "function" or not TAKEN.intersection(each.required)]
    found += [*graphs.candidates(project, kinds), *top_level.candidates(project, kinds)]
    # Programs that make a model of their own beside others are examples of these.
    found = found or [each for module in wanted for each in _enclosed(kinds, module)]
    works = {file: at_import(project, module) for module in wanted if (file := module.file)}
    ordered = sorted(found, key=lambda each: (bool(each.required), each.file, each.line))
    return named([replace(each, work=works[each.file]) for each in ordered])


def _of_module(project: Project, kinds: Kinds, module: Module) -> Iterator[Candidate]:
    for name, node in module.functions.items():
        full = f"{module.name}.{name}"
        if name.startswith("_"):
            continue
        if full in kinds.builders:
            yield made_by(module, name, node, required(node.args), "function")
        for index, label in kinds.elements.get(full, ()):
            own = made_by(module, name, node, required(node.args), "part")
            yield replace(own, name=snake(label), part=f"[{index}]", label=label)
    for name, owner in module.classes.items():
        if name.startswith("_"):
            continue
        if f"{module.name}.{name}" in kinds.classes:
            yield made_by(module, name, owner, initial(project, module, owner), "class")
        elif not kinds.is_kerass(module, owner):
            yield from _of_class(project, kinds, module, owner)


def _of_class(project: Project, kinds: Kinds, module: Module, owner: ast.ClassDef) -> Iterator[Candidate]:
    """Models that a class holds, or that its methods return, of a class that is none itself."""
    own = made_by(module, owner.name, owner, initial(project, module, owner), "part")
    held = kinds.held(module, owner)
    for attribute, line in held.items():
        label = snake(owner.name) if attribute in _ONLY_MODEL else f"{snake(owner.name)}_{attribute.strip('_')}"
        yield replace(own, name=label, part=f".{attribute}", label=attribute, line=line)
    for name, node in methods(owner).items():
        if name.startswith("_") or f"{module.name}.{owner.name}.{name}" not in kinds.builders:
            continue
        decorators = {item.id for item in node.decorator_list if isinstance(item, ast.Name)}
        if decorators & {"staticmethod", "classmethod"}:
            needed = required(node.args)["classmethod" in decorators :]
            made = made_by(module, f"{owner.name}.{name}", node, needed, "function")
            yield replace(made, name=snake(owner.name)) if PLAIN_NAMES.match(name) else made
        elif not held and not kinds.hands_on(f"{module.name}.{owner.name}.{name}"):
            yield replace(own, part=f".{name}()", label=name, line=node.lineno)


def _enclosed(kinds: Kinds, module: Module) -> Iterator[Candidate]:
    """Models that are made among other work, where nothing can call what makes them."""
    for function, name, line in kinds.among_work(module):
        builder = f"{module.name}:{function or name}"
        part = f".{name}" if function else ""
        yield Candidate(of_module(module), builder, module.file, line, module.root, (), "enclosed", part, name)
