"""tf.train.Checkpoint: objects are matched edge by edge, breadth first, the first binding wins.

Source: tensorflow/python/checkpoint/restore.py, `CheckpointPosition._restore_descendants`,
`_queue_children_for_restoration`, `_queue_slot_variables`; trackable/base.py, `_lookup_dependency`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from restore_guard.restore_paths.outcome import Failure, Outcome, compatible, settle
from restore_guard.signature import ObjectGraph, Signature, Variable


def restore(saved: Signature, model: Signature) -> Outcome:
    """What `tf.train.Checkpoint(root).restore(path)` does, with no assertion on its status."""
    for graph in (saved.object_graph, model.object_graph):
        if graph.error or not graph.nodes:
            return Outcome("unsupported", failures=(Failure(graph.error or "no object can be saved"),))
    written = _written(saved.object_graph)
    if saved is model:  # every object is bound to itself
        assigned, used, failures = dict(zip(written, written, strict=True)), written, ()
    else:
        found = _bind(saved.object_graph, model.object_graph)
        assigned = {to: source for source, to in found.pairs}
        used = {source for source, _ in found.pairs} | found.created
        failures = found.failures + tuple(
            Failure(message, (old.path,), (new.path,))
            for old, new in ((saved.variables[source], model.variables[to]) for source, to in found.pairs)
            if (old.shape != new.shape or old.dtype != new.dtype) and (message := _mismatch(old, new))
        )
    return settle(
        saved,
        model,
        assigned=assigned,
        used=used,
        written=written,
        written_at=lambda: _addresses(saved.object_graph),
        read_at=lambda: _addresses(model.object_graph),
        failures=failures,
    )


def contents(signature: Signature) -> object:
    """The objects that a variable is reached through, by their first path of edges, with those edges in order."""
    graph = signature.object_graph
    if graph.error:
        return graph.error
    names, valued = _names(graph), _valued(graph)
    return {
        names[number]: (
            None if node.variable is None else signature.variables[node.variable].path,
            [(edge, names[child]) for edge, child in node.children if child in valued],
            [
                (slot, names[original], signature.variables[graph.nodes[value].variable].path)
                for slot, original, value in node.slots
                if original in names and graph.nodes[value].variable is not None
            ],
        )
        for number, node in enumerate(graph.nodes)
        if number in names and number in valued
    }


def _valued(graph: ObjectGraph) -> set[int]:
    """The objects below which there is a variable."""
    parents: dict[int, list[int]] = {}
    for number, node in enumerate(graph.nodes):
        for _, child in node.children:
            parents.setdefault(child, []).append(number)
    found = {number for number, node in enumerate(graph.nodes) if node.variable is not None or node.slots}
    queue = list(found)
    for number in queue:
        fresh = [parent for parent in parents.get(number, ()) if parent not in found]
        found.update(fresh)
        queue.extend(fresh)
    return found


_REFUSED = "You are trying to restore a checkpoint from a legacy Keras optimizer into a v2.11+ Optimizer."


@dataclass
class _Binding:
    """What is restored.

    Attributes:
        pairs: (position in saved's variables, position in model's variables).
        created: saved slots for which the model's optimizer makes a slot that it did not have.
    """

    pairs: list[tuple[int, int]] = field(default_factory=list)
    created: set[int] = field(default_factory=set)
    failures: tuple[Failure, ...] = ()


def _bind(saved: ObjectGraph, model: ObjectGraph) -> _Binding:
    slots = {
        (optimizer, name, original): slot
        for optimizer, node in enumerate(model.nodes)
        for name, original, slot in node.slots
    }
    # Slot variables are restored once both their variable and their optimizer are bound, whichever is later.
    slots_of_variable: dict[int, list[tuple[int, str, int]]] = {}
    for optimizer, node in enumerate(saved.nodes):
        for name, original, slot in node.slots:
            slots_of_variable.setdefault(original, []).append((optimizer, name, slot))
    slots_of_optimizer: dict[int, list[tuple[int, str, int]]] = {}

    bound, queue, found = {0: 0}, deque([0]), _Binding()
    restored: set[int] = set()

    def fail(message: str) -> None:
        if Failure(message) not in found.failures:
            found.failures += (Failure(message),)

    def bind(source: int, target: int) -> None:
        if source not in bound:
            bound[source] = target
            queue.append(source)

    def bind_slot(source: int, optimizer: int, name: str, original: int) -> None:
        """`_create_or_restore_slot_variable`."""
        if (optimizer, name, original) in slots:
            bind(source, slots[optimizer, name, original])
        elif model.nodes[optimizer].slots_by == "refusing":
            fail(_REFUSED)
        elif model.nodes[optimizer].slots_by == "making":
            if model.nodes[original].variable is None:
                message = f"'{model.nodes[original].type}' object has no attribute '_unique_id'"
                fail(message)
            elif saved.nodes[source].variable is not None:
                found.created.add(saved.nodes[source].variable)

    while queue:
        source = queue.popleft()
        target = bound[source]
        stored, live = saved.nodes[source], model.nodes[target]
        if target not in restored:
            # `_single_restore`: an object that two saved ones are bound to takes only the first one's value.
            restored.add(target)
            if stored.variable is not None and live.variable is not None:
                found.pairs.append((stored.variable, live.variable))
        if stored.children:
            edges = dict(live.children)
            for name, child in stored.children:
                if child not in bound and name in edges:
                    bound[child] = edges[name]
                    queue.append(child)
        for original, name, slot in slots_of_optimizer.pop(source, ()) if slots_of_optimizer else ():
            if live.slots_by is None:  # asked without a look whether it has any
                fail(f"'{live.type}' object has no attribute '_create_or_restore_slot_variable'")
            bind_slot(slot, target, name, original)
        for optimizer, name, slot in slots_of_variable.pop(source, ()) if slots_of_variable else ():
            if optimizer not in bound:
                slots_of_optimizer.setdefault(optimizer, []).append((target, name, slot))
            else:
                bind_slot(slot, bound[optimizer], name, target)
    return found


def _mismatch(saved: Variable, model: Variable) -> str | None:
    if saved.dtype != model.dtype:
        return f"tensor_name = {saved.path}; expected dtype {model.dtype} does not equal original dtype {saved.dtype}"
    if not compatible(saved.shape, model.shape):
        return (
            f"Received incompatible tensor with shape {_text(saved.shape)} when attempting to restore variable "
            f"with shape {_text(model.shape)} and name {model.path}."
        )
    return None


def _text(shape: tuple | None) -> str:
    return "unknown" if shape is None else f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _written(graph: ObjectGraph) -> set[int]:
    """The variables that a checkpoint holds."""
    reached, queue = {0}, [0]
    for number in queue:
        for _, child in graph.nodes[number].children:
            if child not in reached:
                reached.add(child)
                queue.append(child)
    reached.update(slot for node in graph.nodes for _, _, slot in node.slots)
    return {graph.nodes[number].variable for number in reached} - {None}


def _addresses(graph: ObjectGraph) -> dict[int, str]:
    """{variable: its first path of edges}, which is the key that a checkpoint keeps it under."""
    names, found = _names(graph), {}
    for number, name in names.items():
        variable = graph.nodes[number].variable
        if variable is not None:
            found.setdefault(variable, name)
    for optimizer, node in enumerate(graph.nodes):
        for name, original, slot in node.slots:
            variable = graph.nodes[slot].variable
            if variable is not None:
                owner = names.get(optimizer, str(optimizer))
                found.setdefault(variable, f"{names.get(original, original)}/.OPTIMIZER_SLOT/{owner}/{name}")
    return found


def _names(graph: ObjectGraph) -> dict[int, str]:
    """{object: the first path of edges to it}, breadth first."""
    names = {0: ""} if graph.nodes else {}
    queue = deque(names)
    while queue:
        number = queue.popleft()
        for edge, child in graph.nodes[number].children:
            if child not in names:
                names[child] = f"{names[number]}/{edge}" if names[number] else edge
                queue.append(child)
    return names
