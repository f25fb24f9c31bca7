"""Arguments from the configuration, in the types that the builder asks for: TOML has lists and no tuples."""

import inspect
import re

_TUPLE = re.compile(r"\b[Tt]uple\b")


def fitted(builder, kwargs):
    """Returns the arguments with a tuple or set for each list where the builder's default or annotation is one."""
    try:
        parameters = inspect.signature(builder).parameters
    except (TypeError, ValueError):  # what has no signature asks for nothing
        return dict(kwargs)
    return {name: _fitted(value, parameters.get(name)) for name, value in kwargs.items()}


def _fitted(value, parameter):
    if parameter is None:
        return value
    if parameter.default is not parameter.empty and parameter.default is not None:
        return _like(value, parameter.default)
    annotation = parameter.annotation
    text = annotation if isinstance(annotation, str) else f"{getattr(annotation, '__name__', '')} {annotation!r}"
    return tuple(value) if isinstance(value, list) and _TUPLE.search(text) else value


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
