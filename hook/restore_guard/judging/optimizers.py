"""The optimizers that a TensorFlow checkpoint holds beside the model: what they keep for a variable goes with it. Pure.

Their lists are numbered by the variables that they were built with; in the model of today these may have another order.

Source: keras/optimizers/optimizer.py of Keras 2.11 and later, keras/src/optimizers/base_optimizer.py of Keras 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from restore_guard.judging.placements import longer
from restore_guard.judging.route import Route
from restore_guard.judging.slots import in_order_of_layers
from restore_guard.promise.around import key_of
from restore_guard.promise.migrations import Fill
from restore_guard.signature import GraphNode, Signature, Variable

# What every optimizer of today keeps, and in which lists it keeps things a second time.
_MARKS = {"_iterations", "_variables"}
_ALL, _TRAINED = "_variables", "_trainable_variables"
# So deep below the root an optimizer may lie.
_DEEPEST = 3


class SlotBeside(msgspec.Struct, frozen=True):
    """A value for a variable of the model.

    Attributes:
        list: the attribute of the optimizer that it is in.
        variable: the one of the model of today.
        saved: what the file calls it; `shape` and `dtype` are those of the result.
        grow: (axis, fill) of each axis along which it is longer today.
    """

    list: str
    variable: str
    saved: str
    shape: tuple[int, ...]
    dtype: str
    grow: tuple[tuple[int, Fill], ...] = ()


class OptimizerBeside(msgspec.Struct, frozen=True):
    """An optimizer of a file.

    Attributes:
        edge: the key of the names that lead to it.
        trains: the path of the object of the model of today that it trains, "" for the model itself.
        counters: (attribute, what the file holds of it).
        left: why it stays behind; None where it goes along.
        values: what the file calls all that it keeps.
    """

    edge: str
    values: tuple[str, ...]
    trains: str = ""
    counters: tuple[tuple[str, Variable], ...] = ()
    slots: tuple[SlotBeside, ...] = ()
    left: str | None = None


class _LeftBehindError(ValueError):
    """Why nobody can tell what an optimizer keeps for which variable."""


def beside(held: Signature, route: Route, model: Signature) -> tuple[OptimizerBeside, ...]:
    """The optimizers that a file holds outside of what is the model in it."""
    whole = route.fit.edge is None and not route.fit.members
    if whole or held.object_graph.error or not held.object_graph.nodes:
        return ()
    return tuple(_optimizer(edge, number, held, route, model) for edge, number in _found(held, route))


def _found(held: Signature, route: Route) -> Iterator[tuple[str, int]]:
    """(key of the names that lead to it, node) of each; those within the model are the model's own."""
    graph = held.object_graph.nodes
    own = set(route.fit.held.values())
    queue: list[tuple[tuple[str, ...], int]] = [((), 0)]
    seen = {0}
    for names, number in queue:
        for name, child in graph[number].children if len(names) < _DEEPEST else ():
            key = key_of((*names, name))
            if child in seen or key == route.fit.edge or key in route.fit.members:
                continue
            seen.add(child)
            node = graph[child]
            if not ({edge for edge, _ in node.children} >= _MARKS or node.slots):
                queue.append(((*names, name), child))
            elif not own.intersection(_values(held, node)):
                yield key, child


def _optimizer(edge: str, number: int, held: Signature, route: Route, model: Signature) -> OptimizerBeside:
    node = held.object_graph.nodes[number]
    values = tuple(_values(held, node))
    try:
        if node.slots:
            raise _LeftBehindError("it is a legacy optimizer, which only its own class can write")
        counters, lists = _kept(held, node)
        trained = _trained(held, node, route)
        _refuse_others(lists, trained, held, route)
        told = {*(item.path for _, item in counters), *(value for listed in lists.values() for value in listed)}
        if set(values) - told:
            raise _LeftBehindError("it keeps values in a form that is not known")
        trains = _trains(trained, route) if lists else ""
        slots = tuple(_slots(lists, trained, held, route, model))
    except _LeftBehindError as error:
        return OptimizerBeside(edge, values, left=str(error))
    return OptimizerBeside(edge, values, trains, counters, slots)


def _values(held: Signature, node: GraphNode) -> Iterator[str]:
    """What a file calls all that an optimizer keeps, each once, without the variables that it trains."""
    graph, seen = held.object_graph.nodes, set()
    reached = [child for name, child in node.children if name != _TRAINED]
    reached += [slot for _, _, slot in node.slots]
    for number in reached:
        below = [number, *(child for _, child in graph[number].children)]
        for position in (graph[other].variable for other in below):
            if position is not None and position not in seen:
                seen.add(position)
                yield held.variables[position].path


def _kept(held: Signature, node: GraphNode) -> tuple[tuple[tuple[str, Variable], ...], dict[str, list[str]]]:
    """((attribute, value), {attribute: its values in order}) of an optimizer."""
    graph, counters, lists = held.object_graph.nodes, [], {}
    for name, number in node.children:
        position, children = graph[number].variable, graph[number].children
        if position is not None:
            counters.append((name, held.variables[position]))
        elif name not in (_ALL, _TRAINED) and children:
            found = _in_order(held, number)
            if found is None:
                raise _LeftBehindError(f"what it keeps in {name} is no list of values")
            lists[name] = found
    return tuple(counters), lists


def _in_order(held: Signature, number: int) -> list[str] | None:
    """The values of a list; None where it is none, or lacks some."""
    graph = held.object_graph.nodes
    places = {int(edge): graph[child].variable for edge, child in graph[number].children if edge.isdigit()}
    if len(places) < len(graph[number].children) or sorted(places) != list(range(len(places))):
        return None
    found = [position for _, position in sorted(places.items()) if position is not None]
    return [held.variables[position].path for position in found] if len(found) == len(places) else None


def _trained(held: Signature, node: GraphNode, route: Route) -> list[str]:
    """The variables of the model in the file that an optimizer was built with, in order.

    Keras 3 lists them. Keras 2 does not: it is taken to train all of the model, or nothing is told.
    """
    listed = dict(node.children).get(_TRAINED)
    if listed is None:
        start = route.start.signature
        if not start.h5_layers:
            raise _LeftBehindError(
                "Keras 2 does not list what it trains, and the root of the checkpoint is no Keras model"
            )
        return [start.variables[position].path for position in in_order_of_layers(start)]
    names = {kept: name for name, kept in route.fit.held.items()}
    found = [names.get(value) for value in _in_order(held, listed) or ()]
    if None in found:
        raise _LeftBehindError("it trains variables that are not of the model")
    trained = [name for name in found if name is not None]
    whole = [route.start.signature.variables[position].path for position in in_order_of_layers(route.start.signature)]
    # The model's own variables come last there, and first in Keras 3.
    if set(trained) == set(whole) and sorted(trained, key=_has_owner) != sorted(whole, key=_has_owner):
        raise _LeftBehindError("it trains the variables of the model in an order of its own")
    return trained


def _has_owner(path: str) -> bool:
    return "/" in path


def _refuse_others(lists: Mapping[str, Sequence[str]], trained: Sequence[str], held: Signature, route: Route) -> None:
    """Raises _LeftBehindError where lists are not for these variables: one at least has values of their shapes."""
    shapes = {item.path: item.shape for item in held.variables}
    wanted = [shapes.get(route.fit.held.get(name, "")) for name in trained]
    for name, listed in lists.items():
        if len(listed) != len(trained):
            raise _LeftBehindError(f"its list {name} is not one for each variable of the model")
    if lists and wanted not in [[shapes[value] for value in listed] for listed in lists.values()]:
        raise _LeftBehindError("what it keeps is of other shapes than the variables of the model")


def _trains(trained: Sequence[str], route: Route) -> str:
    """The path, today, of the object whose trainable variables are those; the innermost one."""
    every = [item.path for item in route.start.signature.variables if item.trainable and not item.seed]
    names = set(trained)
    common = _common([path.split("/")[:-1] for path in trained])
    for depth in range(len(common), -1, -1):
        above = "/".join(common[:depth])
        if {path for path in every if _is_below(path, above)} == names:
            now = [item.variable.split("/") for item in route.plan.placements if item.saved in names]
            heads = {"/".join(parts[:depth]) for parts in now if len(parts) > depth}
            if len(heads) == 1:
                return heads.pop()
            break
    raise _LeftBehindError("which part of the model it trains cannot be told")


def _slots(
    lists: Mapping[str, Sequence[str]], trained: Sequence[str], held: Signature, route: Route, model: Signature
) -> Iterator[SlotBeside]:
    stored = {item.path: item for item in held.variables}
    now = {item.path: item for item in model.variables}
    places = {name: number for number, name in enumerate(trained)}
    for item in route.plan.placements:
        if item.saved is None or item.saved not in places or not now[item.variable].trainable:
            continue
        number, shape = places[item.saved], now[item.variable].shape
        for name, listed in lists.items():
            value = stored[listed[number]]
            before, same = value.shape, value.shape == stored[route.fit.held[item.saved]].shape
            if item.grow and not same:
                raise _LeftBehindError(f"how its list {name} grows with {item.variable} cannot be told")
            after = tuple(size or 0 for size in ((shape if same else before) or ()))
            grow = longer(before, after) if item.grow else ()
            yield SlotBeside(name, item.variable, value.path, after, value.dtype, grow)


def _common(paths: Sequence[Sequence[str]]) -> list[str]:
    first = list(paths[0]) if paths else []
    length = next((n for n, part in enumerate(first) if any(path[n : n + 1] != [part] for path in paths)), len(first))
    return first[:length]


def _is_below(path: str, above: str) -> bool:
    return not above or path.startswith(f"{above}/")
