"""What a training script keeps around the model in a TensorFlow checkpoint, such as a counter of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from restore_guard.signature import GraphNode, ObjectGraph, Signature

_DEEPEST = 3
"""So many objects may lie around a model: `trainer`, `state`, and the model itself."""


def edges(key: str) -> list[str]:
    """The names that lead to an object, of the key that TensorFlow makes of them (`escape_local_name`)."""
    return [part.replace(".S", "/").replace("..", ".") for part in key.split("/")]


def key_of(names: Sequence[str]) -> str:
    """The key of names that lead to an object."""
    return "/".join(name.replace(".", "..").replace("/", ".S") for name in names)


def below(model: Signature, edge: str | None) -> Signature:
    """The model as `tf.train.Checkpoint(edge=model)` restores it; an edge of several names leads through objects."""
    graph = model.object_graph
    if edge is None or not graph.nodes:
        return model
    names = edges(edge)
    above = len(names)
    moved = (_moved(node, lambda number: number + above) for node in graph.nodes)
    holders = (GraphNode("Checkpoint", None, ((name, number + 1),)) for number, name in enumerate(names))
    return msgspec.structs.replace(model, object_graph=ObjectGraph((*holders, *moved)), stages=None)


def part(graph: ObjectGraph, edge: str | None) -> ObjectGraph:
    """What a checkpoint holds below an edge, with that as the root."""
    start = 0
    for name in edges(edge) if edge is not None else ():
        start = dict(graph.nodes[start].children)[name]
    found, queue = {start: 0}, [start]
    for number in queue:
        node = graph.nodes[number]
        for child in (*(child for _, child in node.children), *(n for _, *both in node.slots for n in both)):
            if child not in found:
                found[child] = len(found)
                queue.append(child)
    return ObjectGraph(tuple(_moved(graph.nodes[number], found.__getitem__) for number in queue))


def without(saved: Signature, edge: str | None) -> tuple[Signature, list[str]]:
    """(a file as it were without what is around the model, the names of the values that are left out)."""
    if edge is None:
        return saved, []
    model = part(saved.object_graph, edge)
    kept = {node.variable for node in model.nodes if node.variable is not None}
    positions = {number: position for position, number in enumerate(sorted(kept))}
    graph = ObjectGraph(
        tuple(
            msgspec.structs.replace(node, variable=None if node.variable is None else positions[node.variable])
            for node in model.nodes
        )
    )
    inner = msgspec.structs.replace(
        saved,
        variables=tuple(saved.variables[number] for number in sorted(kept)),
        object_graph=graph,
        saver_file=None,  # it knows no edges
    )
    beside = [variable.path for number, variable in enumerate(saved.variables) if number not in kept]
    return below(inner, edge), beside


def places(graph: ObjectGraph) -> Iterator[tuple[str, GraphNode]]:
    """Yields (edge, object) for all that a model may be saved as, each once and the nearest to the root first."""
    queue: list[tuple[tuple[str, ...], int]] = [((), 0)]
    seen = {0}
    for names, number in queue:
        for name, child in graph.nodes[number].children if len(names) < _DEEPEST else ():
            if child not in seen and graph.nodes[child].children:
                seen.add(child)
                queue.append(((*names, name), child))
                yield key_of((*names, name)), graph.nodes[child]


def _moved(node: GraphNode, to: Callable[[int], int]) -> GraphNode:
    return msgspec.structs.replace(
        node,
        children=tuple((name, to(child)) for name, child in node.children),
        slots=tuple((name, to(original), to(slot)) for name, original, slot in node.slots),
    )
