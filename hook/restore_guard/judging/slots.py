"""Which variable each slot of an optimizer belongs to: slots go where their variables go. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from restore_guard.signature import Signature, Variable


class Slot(NamedTuple):
    """A slot: `optimizer/momentums/3`, the fourth of the `group` `optimizer/momentums`, belongs to one `variable`."""

    group: str
    variable: str


def slots(signature: Signature) -> dict[str, Slot]:
    """{path of a slot: whose it is}; a variable of an optimizer that belongs to no other (a counter) is none."""
    return _named(signature) | _numbered(signature)


def _named(signature: Signature) -> dict[str, Slot]:
    """The slots of legacy optimizers, which the object graph keeps with their variables."""
    graph, variables = signature.object_graph.nodes, signature.variables
    found = {}
    for node in graph:
        for _, original, slot in node.slots:
            whose, own = graph[original].variable, graph[slot].variable
            if whose is not None and own is not None:
                path, name = variables[own].path, variables[whose].path
                found[path] = Slot(path.removesuffix(f"/{name}"), name)
    return found


def _numbered(signature: Signature) -> dict[str, Slot]:
    """Slots in lists, one for each trainable variable in order; a list of other forms is no list of slots."""
    found: dict[str, Slot] = {}
    for optimizer in (holder.path for holder in signature.holders if _is_optimizer(signature, holder.path)):
        trained = _trained(signature, optimizer)
        groups: dict[str, dict[int, Variable]] = {}
        for variable in signature.variables:
            group, _, number = variable.path.rpartition("/")
            if number.isdigit() and group.rpartition("/")[0] == optimizer:
                groups.setdefault(group, {})[int(number)] = variable
        for group, listed in groups.items():
            if all(number < len(trained) and trained[number].shape == slot.shape for number, slot in listed.items()):
                found |= {slot.path: Slot(group, trained[number].path) for number, slot in listed.items()}
    return found


def _is_optimizer(signature: Signature, path: str) -> bool:
    """What keeps its variables beside lists of others, as all optimizers of Keras 2.11 and later do."""
    return f"{path}/iterations" in {variable.path for variable in signature.variables}


def _trained(signature: Signature, optimizer: str) -> Sequence[Variable]:
    """The variables that an optimizer was built with, in order: Keras 3 lists them, Keras 2 does not."""
    graph = signature.object_graph.nodes
    node = _object(signature, optimizer)
    listed = dict(graph[node].children).get("_trainable_variables") if node is not None else None
    positions: Sequence[int | None]
    if listed is not None:
        numbers = {int(edge): child for edge, child in graph[listed].children if edge.isdigit()}
        positions = [graph[numbers[number]].variable for number in sorted(numbers)]
    else:
        positions = _in_order_of_layers(signature)
    return [signature.variables[position] for position in positions if position is not None]


def _object(signature: Signature, path: str) -> int | None:
    """The node of the object graph that is found by the attributes of a path."""
    nodes = signature.object_graph.nodes
    if not nodes:
        return None
    number = 0
    for part in path.split("/"):
        edges = dict(nodes[number].children)
        below = edges.get(part, edges.get(f"_{part}"))
        if below is None:
            return None
        number = below
    return number


def _in_order_of_layers(signature: Signature) -> list[int]:
    """`model.trainable_variables` of Keras 2: of the layers in order, then of the model itself, each once."""
    positions = [position for layer in signature.h5_layers for position in layer.variables]
    return [position for position in dict.fromkeys(positions) if signature.variables[position].trainable]


def groups(found: Mapping[str, Slot]) -> dict[tuple[str, str], str]:
    """{(group, variable): slot}, to find the slot of another variable."""
    return {(slot.group, slot.variable): path for path, slot in found.items()}
