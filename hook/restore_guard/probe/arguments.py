"""Arguments from the configuration, in the types that the builder asks for: TOML has lists and no tuples."""

import ast
import inspect
import typing

_KINDS = {"tuple": tuple, "set": set, "frozenset": frozenset, "abstractset": set}
_LISTS = ("list", "sequence", "iterable", "collection", "mutablesequence")
_TABLES = ("dict", "mapping", "mutablemapping")
_EITHER = ("optional", "union")


def fitted(builder, kwargs):
    """Returns the arguments with a tuple or set for each list where the builder's default or annotation is one."""
    try:
        parameters = inspect.signature(builder).parameters
    except (TypeError, ValueError):  # what has no signature asks for nothing
        return dict(kwargs)
    hints = _hints(builder)
    return {name: _fitted(value, parameters.get(name), hints.get(name)) for name, value in kwargs.items()}


def _hints(builder):
    """The annotations with the names of types followed; none where that fails, as for what only a checker imports."""
    try:
        return typing.get_type_hints(builder.__init__ if isinstance(builder, type) else builder)
    except Exception:
        return {}


def _fitted(value, parameter, hint):
    if parameter is None:
        return value
    if parameter.default is not parameter.empty and parameter.default is not None:
        value = _like(value, parameter.default)
    annotation = parameter.annotation if hint is None else hint
    if annotation is parameter.empty:
        return value
    return _said(value, _parsed(annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)))


def _parsed(text):
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None


def _said(value, node):
    """A value in the form that an annotation asks for: also what is within lists and tables."""
    if isinstance(node, ast.Call) and node.args:  # typing.ForwardRef("...")
        node = node.args[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = _parsed(node.value)
    if isinstance(node, ast.BinOp):
        return _either(value, [node.left, node.right])
    inner = []
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        inner = [item for item in inner if not (isinstance(item, ast.Constant) and item.value is Ellipsis)]
        node = node.value
    name = getattr(node, "attr", getattr(node, "id", "")).lower()
    if name in _EITHER:
        return _either(value, inner)
    if name == "annotated" and inner:
        return _said(value, inner[0])
    if isinstance(value, dict) and name in _TABLES and inner:
        return {key: _said(item, inner[-1]) for key, item in value.items()}
    if not isinstance(value, (list, tuple)) or not (name in _KINDS or name in _LISTS):
        return value
    items = [_said(item, inner[min(number, len(inner) - 1)]) if inner else item for number, item in enumerate(value)]
    return _KINDS.get(name, list)(items) if isinstance(value, list) else type(value)(items)


def _either(value, nodes):
    """A value in the form of the first of several annotations that asks for another one."""
    return next((found for node in nodes if (found := _said(value, node)) != value), value)


def _like(value, default):
    """A value in the form of the default: also what is within lists and tables."""
    if isinstance(value, dict) and isinstance(default, dict):
        return {key: _like(item, default[key]) if key in default else item for key, item in value.items()}
    if not isinstance(value, list) or not isinstance(default, (list, tuple, set, frozenset)):
        return value
    known = list(default)
    items = [_like(item, known[min(number, len(known) - 1)]) for number, item in enumerate(value)] if known else value
    return (
        items
        if isinstance(default, list)
        else next(kind for kind in (tuple, set, frozenset) if isinstance(default, kind))(items)
    )
