"""Which variable each slot of an optimizer belongs to: slots go where their variables go. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from restore_guard.signature import Signature, Variable, leaf, owner


class Slot(NamedTuple):
    """A slot: `optimizer/momentums/3`, the fourth of the `group` `optimizer/momentums`, belongs to one `variable`."""

    group: str
    variable: str


def slots(signature: Signature) -> dict[str, Slot]:
    """{path of a slot: whose it is}; a variable of an optimizer that belongs to no other (a counter) is none."""
    return _named(signature) | _numbered(signature)


def of_both(saved: Signature, model: Signature) -> tuple[dict[str, Slot], dict[str, Slot]]:
    """The slots of two signatures; none of either where one does not tell whose they are, as a file does not."""
    olds, news = slots(saved), slots(model)
    old_names, new_names = ({variable.path for variable in side.variables} for side in (saved, model))
    untold = (news.keys() & old_names) - olds.keys() or (olds.keys() & new_names) - news.keys()
    return ({}, {}) if untold else (olds, news)


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
    """Slots in lists, one for each variable that is trained, in order; a list of other forms is no list of slots."""
    known = {variable.path: variable for variable in signature.variables}
    optimizers = [holder for holder in signature.holders if holder.trained or f"{holder.path}/iterations" in known]
    if not optimizers:
        return {}
    lists: dict[str, dict[str, dict[int, Variable]]] = {}
    for variable in signature.variables:
        group, _, number = variable.path.rpartition("/")
        if number.isdigit():
            lists.setdefault(owner(group), {}).setdefault(group, {})[int(number)] = variable
    found: dict[str, Slot] = {}
    for optimizer in optimizers:
        trained = [known[path] for path in optimizer.trained] or _listed(signature, optimizer.path)
        for group, listed in lists.get(optimizer.path, {}).items():
            if _is_for(listed, trained):
                found |= {slot.path: Slot(group, trained[number].path) for number, slot in listed.items()}
    return found


def _is_for(listed: Mapping[int, Variable], trained: Sequence[Variable]) -> bool:
    """Whether a list has slots for variables: of their shapes, or one for each as Adafactor's, which are smaller."""
    if max(listed) >= len(trained):
        return False
    return len(listed) == len(trained) or all(trained[n].shape == slot.shape for n, slot in listed.items())


def _listed(signature: Signature, optimizer: str) -> Sequence[Variable]:
    """The variables that an optimizer was built with, in order, as Keras 3 lists them in the object graph."""
    variables, graph = signature.variables, signature.object_graph.nodes
    node = _object(signature, optimizer)
    listed = dict(graph[node].children).get("_trainable_variables") if node is not None else None
    if listed is None:
        positions: Sequence[int | None] = in_order_of_layers(signature)
    else:
        numbers = {int(edge): child for edge, child in graph[listed].children if edge.isdigit()}
        positions = [graph[numbers[number]].variable for number in sorted(numbers)]
    return [variables[position] for position in positions if position is not None] if None not in positions else []


def in_order_of_layers(signature: Signature) -> list[int]:
    """What an optimizer of Keras 2 is built with if nothing is frozen: older manifests do not say it."""
    positions = [position for layer in signature.h5_layers for position in layer.variables]
    return [position for position in dict.fromkeys(positions) if signature.variables[position].trainable]


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


def same_lists(
    saved: Signature, model: Signature, olds: Mapping[str, Slot], news: Mapping[str, Slot], owners: Mapping[str, str]
) -> dict[str, str]:
    """{list of slots of the model: the saved one}: of one name in one optimizer, or the only two of a name.

    What an optimizer of another class keeps under another name is something else, whatever its shape.

    Args:
        owners: {what holds variables of the model: what held them}; an optimizer may have another name.
    """
    before, after = ({slot.group: None for slot in side.values()} for side in (olds, news))
    types = [{holder.path: holder.type for holder in side.holders} for side in (model, saved)]
    found: dict[str, str] = {}

    def free() -> tuple[list[str], list[str]]:
        return [group for group in after if group not in found], [old for old in before if old not in found.values()]

    def pair(group: str, candidates: Sequence[str]) -> None:
        if len(candidates) == 1:
            found[group] = candidates[0]

    for group in after:
        optimizer = owner(group)
        pair(group, [old for old in before if old == f"{owners.get(optimizer, optimizer)}/{leaf(group)}"])
    left, others = free()
    for optimizer in dict.fromkeys(map(owner, left)):
        source = owners.get(optimizer, optimizer)
        if types[0].get(optimizer) == types[1].get(source):
            sides = [g for g in left if owner(g) == optimizer], [o for o in others if owner(o) == source]
            found |= dict(zip(*sides, strict=False))
    left, others = free()
    for group in left:
        if [leaf(other) for other in left].count(leaf(group)) == 1:
            pair(group, [old for old in others if leaf(old) == leaf(group)])
    return found
