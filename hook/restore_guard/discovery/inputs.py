"""With which inputs a project calls a model that it has made: shapes and dtypes, told from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from restore_guard.discovery import datasets, values
from restore_guard.discovery.inlining import Inliner, Scope, Unknown
from restore_guard.discovery.modules import Function, Project, methods
from restore_guard.discovery.sites import Site, Sites

_SHAPED = re.compile(r"(^|\.)(zeros|ones|empty|normal|uniform|truncated_normal|random|random_sample|standard_normal)$")
_DIMENSIONS = re.compile(r"^numpy\.random\.(rand|randn)$")
_LITERAL = re.compile(r"^(tensorflow\.(constant|convert_to_tensor)|numpy\.(array|asarray))$")
_INPUT = re.compile(r"(^|\.)(Input|InputSpec|TensorSpec)$")
_CALLED = ("build", "predict", "call", "summary", "__call__")
_INPUTS = ("input_shape", "inputs", "x")
_DEEPEST = 3


class Tensor(NamedTuple):
    """One input without its batch dimension; None is a dimension of any size."""

    shape: tuple[int | None, ...]
    dtype: str = "float32"


Tensors = tuple[Tensor, ...]


class Evidence(NamedTuple):
    """The inputs of a model, and the place of the source that shows them."""

    tensors: Tensors
    place: str


def of_sites(project: Project, sites: Sites, name: str, depth: int = _DEEPEST) -> list[Evidence]:
    """How models are called that a function or class of this full name makes, the surest first."""
    found: list[Evidence] = []
    data: list[Evidence] = []
    known = project.definition(name)
    made = {each for each in sites.returned_by(known[1]) if project.definition(each)} if known is not None else set()
    # What a function returns may be made, and called, elsewhere too.
    for site in [*sites.of(name), *(site for each in sorted(made) for site in sites.of(each) if depth == _DEEPEST)]:
        found += _of_site(project, sites, site)
        data += _of_data(project, site)
        if site.returned and site.function is not None and depth:
            owner = f"{site.owner.name}." if site.owner is not None else ""
            found += of_sites(project, sites, f"{site.module.name}.{owner}{site.function.name}", depth - 1)
    unique: dict[Tensors, Evidence] = {}
    for each in [*found, *data]:
        unique.setdefault(each.tensors, each)
    return list(unique.values())


def _of_site(project: Project, sites: Sites, site: Site) -> Iterator[Evidence]:
    for call, function in calls_of(site):
        given = [*call.args[:1], *(item.value for item in call.keywords if item.arg in _INPUTS)]
        scope = Scope(site.module, function, site.owner, call.lineno)
        found = tensors(project, sites, given[0], scope, _is_build(call)) if given else None
        if found is not None:
            yield Evidence(found, f"{site.module.file}:{call.lineno}")


def calls_of(site: Site) -> Iterator[tuple[ast.Call, Function | None]]:
    """The calls of what a site has made, each with the function that it is in: of an attribute, in all methods."""
    blocks: list[tuple[ast.AST, Function | None]] = [(site.block, site.function)]
    if site.owner is not None and site.bound.startswith("self."):
        blocks += [(method, method) for method in methods(site.owner).values() if method is not site.function]
    for block, function in blocks:
        for node in ast.walk(block):
            if not isinstance(node, ast.Call) or node is site.call:
                continue
            is_method = isinstance(node.func, ast.Attribute) and node.func.attr in _CALLED
            if _is_bound(node.func.value if is_method and isinstance(node.func, ast.Attribute) else node.func, site):
                yield node, function


def _is_bound(node: ast.expr, site: Site) -> bool:
    return node is site.call or bool(site.bound) and ast.unparse(node) == site.bound


def _is_build(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "build"


def tensors(project: Project, sites: Sites, given: ast.expr, scope: Scope, is_shape: bool = False) -> Tensors | None:
    """What an expression gives a model; None where the source does not tell."""
    inliner = Inliner(project, sites, literal=True)
    try:
        node = inliner.plain(given, scope)
    except Unknown:
        return None
    if is_shape:
        return _shapes(node)
    items: Sequence[ast.expr] = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    found = [_tensor(inliner, item) for item in items]
    return tuple(item for item in found if item is not None) if all(found) and found else None


def _shapes(node: ast.expr) -> Tensors | None:
    """Of what `build` gets: one shape, or several of them."""
    try:
        value = values.constant(node)
    except ValueError:
        return None
    shape = _without_batch(value)
    if shape is not None:
        return (Tensor(shape),)
    if isinstance(value, list | tuple) and value:
        several = [_without_batch(item) for item in value]
        return tuple(Tensor(item) for item in several if item is not None) if None not in several else None
    return None


def _without_batch(shape: Any) -> tuple[int | None, ...] | None:
    if not isinstance(shape, list | tuple) or not shape:
        return None
    if not all(size is None or isinstance(size, int) and not isinstance(size, bool) for size in shape):
        return None
    return tuple(shape[1:])


def _tensor(inliner: Inliner, node: ast.expr) -> Tensor | None:
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="astype"), args=[kind, *_]):
            found = _tensor(inliner, inner)
            return Tensor(found.shape, _dtype(kind)) if found is not None else None
        case ast.Call(func=function):
            name = _full(inliner, function)
        case _:
            return None
    try:
        return _made(name, node)
    except ValueError:
        return None


def _made(name: str, call: ast.Call) -> Tensor | None:
    """What a call of TensorFlow or NumPy gives."""
    keywords = {item.arg: item.value for item in call.keywords}
    if _DIMENSIONS.match(name):
        shape = _without_batch([values.constant(item) for item in call.args])
        return Tensor(shape) if shape is not None else None
    if _LITERAL.match(name) and call.args:
        return _of_literal(values.constant(call.args[0]), keywords.get("dtype"))
    given = keywords.get("shape", keywords.get("size", call.args[0] if call.args else None))
    if given is None or not (_SHAPED.search(name) or _INPUT.search(name)):
        return None
    size = values.constant(given)
    kind = keywords.get("dtype", call.args[1] if len(call.args) > 1 and not name.startswith("numpy.random") else None)
    dtype = _dtype(kind) if kind is not None and not _is_number(kind) else "float32"
    if _INPUT.search(name) and isinstance(size, tuple | list):
        return Tensor(tuple(size), dtype)
    shape = _without_batch([size] if isinstance(size, int) else size)
    return Tensor(shape, dtype) if shape is not None else None


def _of_literal(value: Any, kind: ast.expr | None) -> Tensor | None:
    shape: list[int | None] = []
    while isinstance(value, list | tuple) and value:
        shape.append(len(value))
        value = value[0]
    dtype = _dtype(kind) if kind is not None else "int32" if isinstance(value, int) else "float32"
    return Tensor(tuple(shape[1:]), dtype) if shape and isinstance(value, int | float) else None


def _is_number(node: ast.expr) -> bool:
    return values.is_known(node) and isinstance(values.constant(node), int | float)


def _dtype(node: ast.expr) -> str:
    text = str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node).rpartition(".")[2]
    return {"int": "int64", "float": "float32", "float64": "float32"}.get(text, text)


def _full(inliner: Inliner, node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return inliner.imports.get(name, name)
        case ast.Attribute(value=value, attr=name):
            return f"{_full(inliner, value)}.{name}"
    return ""


def _of_data(project: Project, site: Site) -> Iterator[Evidence]:
    """Of the public data set that a training program reads."""
    for node in ast.walk(site.module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "load_data":
            name = project.resolve(site.module, node.func.value).rpartition(".")
            for shape in datasets.SHAPES.get(name[2], ()) if name[0].endswith("datasets") else ():
                yield Evidence((Tensor(shape),), f"{site.module.file}:{node.lineno}")
