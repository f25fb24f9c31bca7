"""What the public data of keras.datasets (https://keras.io/api/datasets/) tells of the models that learn from it."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from restore_guard.discovery.bindings import bound
from restore_guard.discovery.modules import Project, all_calls
from restore_guard.discovery.sites import Site

SHAPES = {
    "mnist": ((28, 28, 1), (28, 28), (784,)),
    "fashion_mnist": ((28, 28, 1), (28, 28), (784,)),
    "cifar10": ((32, 32, 3),),
    "cifar100": ((32, 32, 3),),
    "boston_housing": ((13,),),
    "california_housing": ((8,),),
}
"""The shapes of what each gives, and those that people make of it."""
_CLASSES = {"mnist": 10, "fashion_mnist": 10, "cifar10": 10, "cifar100": 100}
_FLAT = re.compile(r"\b784\b|28 \* 28")
_CHANNEL = re.compile(r"expand_dims|newaxis|\.\.\., None|28, 28, 1|, 1\)\)?$", re.MULTILINE)
_COUNTS = re.compile(r"len\((np\.|numpy\.)?(unique|set)\(.*\)\)|(int\()?(np\.max\(.*\)|.*\.max\(\)) \+ 1\)?")


class Told(NamedTuple):
    """The value of an expression, and the place that tells it."""

    value: ast.expr
    place: str


def told(project: Project, site: Site, given: ast.expr) -> Told | None:
    """A shape or a number of classes that a program takes from its data; None where it is something else."""
    loaded = next((call for call in all_calls(site.module.tree) if _name(project, site, call) in SHAPES), None)
    if loaded is None:
        return None
    name, node = _name(project, site, loaded), _assigned(site, given)
    place = f"{name}, {site.module.file}:{loaded.lineno}"
    match node:
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Slice(lower=ast.Constant(value=1), upper=None)):
            return Told(ast.Tuple([ast.Constant(size) for size in _shape(name, site)], ast.Load()), place)
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Constant(value=int(index))):
            shape = _shape(name, site)
            return Told(ast.Constant(shape[index - 1]), place) if 0 < index <= len(shape) else None
    if name in _CLASSES and _COUNTS.fullmatch(ast.unparse(node)):
        return Told(ast.Constant(_CLASSES[name]), place)
    return None


def _name(project: Project, site: Site, call: ast.Call) -> str:
    """The data set that a call loads, "" for any other call."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "load_data":
        return ""
    before, _, last = project.resolve(site.module, call.func.value).rpartition(".")
    return last if before.endswith("datasets") else ""


def _assigned(site: Site, node: ast.expr) -> ast.expr:
    """What a variable was given last."""
    if not isinstance(node, ast.Name):
        return node
    return next(iter(bound(node.id, site.block, site.call.lineno)), node)


def _shape(name: str, site: Site) -> tuple[int, ...]:
    """The shape of the data as the program itself changes it."""
    text, shapes = ast.unparse(site.module.tree), SHAPES[name]
    if len(shapes) == 1:
        return shapes[0]
    return shapes[2] if _FLAT.search(text) else shapes[0] if _CHANNEL.search(text) else shapes[1]
