"""A place in the source that gives a model, and what to call it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from restore_guard.discovery.modules import Function, Module, Project, methods
from restore_guard.discovery.work import Work

Kind = Literal["function", "class", "part", "graph", "global", "enclosed"]

PLAIN_NAMES = re.compile(r"^(build|make|create|get|load|define|construct)?_?(the_|my_)?(model|network|net|build)?$")
"""A function of such a name is told apart from others by its module or class."""
VERB = re.compile(r"^(build|make|create|get|define|construct)_(?=.)")


class Candidate(msgspec.Struct, frozen=True):
    """What gives a model.

    Attributes:
        name: what to call the model in the configuration.
        builder: `package.module:function`, also `:Class` or `:Class.method`.
        root: the folder to import from, "" for the project.
        required: arguments without a default: it cannot be called without them.
        kind: how a model comes of calling it; "part" is one of what it returns or holds, "graph" adds to a TF1
            graph, "global" is made when its module is imported, "enclosed" is made among other work, so that nothing
            can call it.
        part: for "part" the code after the call, such as `.generator` or `[0]`; `label` is its name.
        work: what importing its module does.
    """

    name: str
    builder: str
    file: str
    line: int
    root: str = ""
    required: tuple[str, ...] = ()
    kind: Kind = "function"
    part: str = ""
    label: str = ""
    work: Work | None = None

    @property
    def target(self) -> str:
        """Where it is made: `file:function`, `file:Class`, `file:Class.attribute` or `file:function[element]`."""
        own = self.builder.partition(":")[2]
        part = f"[{self.label}]" if self.part.startswith("[") else self.part
        return f"{self.file}:{own}{part}"

    @property
    def called(self) -> str:
        """The full dotted name of what is called."""
        return self.builder.replace(":", ".")


def made_by(module: Module, name: str, node: ast.ClassDef | Function, needed: tuple[str, ...], kind: Kind) -> Candidate:
    plain = PLAIN_NAMES.match(name) is not None
    label = of_module(module) if plain else VERB.sub("", snake(name.replace(".", "_"))).removesuffix("_model")
    return Candidate(label or name, f"{module.name}:{name}", module.file, node.lineno, module.root, needed, kind)


def initial(project: Project, module: Module, owner: ast.ClassDef) -> tuple[str, ...]:
    """What the constructor of a class asks for, its own or that of a class of the project that it inherits from."""
    found = initialiser(project, module, owner)
    return required(found[1].args)[1:] if found is not None else ()


def initialiser(
    project: Project, module: Module, owner: ast.ClassDef, depth: int = 5
) -> tuple[Module, Function] | None:
    """The `__init__` of a class, with the module that it stands in."""
    made = methods(owner).get("__init__")
    if made is not None:
        return module, made
    for base in owner.bases if depth else ():
        known = project.definition(project.resolve(module, base), module)
        if known is not None and isinstance(known[1], ast.ClassDef):
            above = initialiser(project, known[0], known[1], depth - 1)
            if above is not None:
                return above
    return None


def required(arguments: ast.arguments) -> tuple[str, ...]:
    """The names of the arguments that have no default."""
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = positional[: len(positional) - len(arguments.defaults)]
    named = [
        argument
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return tuple(argument.arg for argument in [*needed, *named])


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().strip("_")


def of_module(module: Module) -> str:
    """A module called model says nothing: its package does."""
    parts = [part for part in module.name.split(".") if part not in ("model", "models", "network", "net")]
    return parts[-1] if parts else module.name.split(".")[-1]


def named(found: list[Candidate]) -> list[Candidate]:
    """Each with a name of its own."""
    counts: Mapping[str, int] = Counter(candidate.name for candidate in found)
    result, taken = [], set()
    for candidate in found:
        name = candidate.name
        if counts[name] > 1:
            module, _, own = candidate.builder.partition(":")
            name = f"{module.rpartition('.')[2]}-{(candidate.label or own).strip('_').lower()}"
        while name in taken:
            name += "-2"
        taken.add(name)
        result.append(replace(candidate, name=name))
    return result
