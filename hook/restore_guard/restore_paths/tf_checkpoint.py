"""tf.train.Checkpoint: objects are matched edge by edge, breadth first, the first binding wins.

Source: tensorflow/python/checkpoint/restore.py, `CheckpointPosition._restore_descendants`,
`_queue_children_for_restoration`, `_queue_slot_variables`; trackable/base.py, `_lookup_dependency`.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import msgspec

from restore_guard.restore_paths import stored_state
from restore_guard.restore_paths.outcome import Failure, Outcome, compatible, settle
from restore_guard.signature import Arrival, GraphNode, ObjectGraph, Signature, Variable


def restore(saved: Signature, model: Signature) -> Outcome:
    """What `tf.train.Checkpoint(root).restore(path)` does, with no assertion on its status.

    Before the first call of the model it also is what that call then does (`ObjectGraph.arrivals`).
    """
    for graph in (saved.object_graph, model.object_graph):
        if graph.error or not graph.nodes:
            return Outcome("unsupported", failures=(Failure(graph.error or "no object can be saved"),))
    written = _written(saved.object_graph)
    failures: tuple[Failure, ...] = ()
    reshaped: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    if saved is model:  # every object is bound to itself
        assigned, used = dict(zip(written, written, strict=True)), written
    else:
        found = _Restoration(saved.object_graph, model.object_graph)
        found.run()
        assigned = {to: source for source, to in found.pairs}
        used = {source for source, _ in found.pairs} | found.created
        lost = found.lost()
        pairs = [(saved.variables[source], model.variables[to]) for source, to in found.pairs]
        differing = [(old, new) for old, new in pairs if old.shape != new.shape or old.dtype != new.dtype]
        failures = (*found.failures, *found.refused(saved, model)) + tuple(
            Failure(message, (old.path,), (new.path,))
            for old, new in differing
            if (message := _mismatch(old, new, any_shape=not model.eager))
        )
        if not model.eager:
            # In a session a variable takes the saved shape.
            reshaped = tuple(new.path for old, new in differing if not compatible(old.shape, new.shape))
    outcome = settle(
        saved,
        model,
        assigned=assigned,
        used=used,
        written=written,
        written_at=lambda: _addresses(saved.object_graph),
        read_at=lambda: _addresses(model.object_graph),
        failures=failures,
    )
    return msgspec.structs.replace(outcome, reshaped=reshaped, lost=lost, certain=outcome.certain or bool(reshaped))


def contents(signature: Signature) -> object:
    """The objects that a variable is reached through, by their first path of edges, with those edges in order; and the
    edges that arrive later.
    """
    graph = signature.object_graph
    if graph.error:
        return graph.error
    names, valued = _names(graph), _valued(graph)
    late = [(node, edge, runs) for node, edge, runs in graph.arrivals] + [(*item, None) for item in graph.unannounced]
    return [
        (names[node], edge, runs) for node, edge, runs in late if dict(graph.nodes[node].children).get(edge) in valued
    ], {
        names[number]: (
            None if node.variable is None else signature.variables[node.variable].path,
            [(edge, names[child]) for edge, child in node.children if child in valued],
            [
                (slot, names[original], signature.variables[position].path)
                for slot, original, value in node.slots
                if original in names and (position := graph.nodes[value].variable) is not None
            ],
        )
        for number, node in enumerate(graph.nodes)
        if number in names and number in valued
    }


def states(graph: ObjectGraph) -> dict[int, str]:
    """{object: its address} of those that hold values and are no variables, as tables do."""
    found = [number for number, node in enumerate(graph.nodes) if node.state]
    names = _names(graph) if found else {}
    return {number: names[number] for number in found if number in names}


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


Slots = dict[int, list[tuple[int, str, int]]]


class _RefusedError(Exception):
    """A variable that is made while Keras runs symbolically takes no value."""


class _Restoration:
    """What is restored.

    Attributes:
        pairs: (position in saved's variables, position in model's variables).
        created: saved slots for which the model's optimizer makes a slot that it did not have.
        failures: why the load call raises.
    """

    def __init__(self, saved: ObjectGraph, model: ObjectGraph) -> None:
        self.saved, self.model = saved, model
        self.pairs: list[tuple[int, int]] = []
        self.created: set[int] = set()
        self.failures: tuple[Failure, ...] = ()
        self.bound: dict[int, int] = {}
        self.sources: dict[int, list[int]] = {}
        self.queue: deque[int] = deque()
        self.restored: set[int] = set()
        self.taken: set[int] = set()
        self.hidden = {(arrival.node, arrival.edge) for arrival in model.arrivals} | {*model.unannounced}
        self.slots = {
            (optimizer, name, original): slot
            for optimizer, node in enumerate(model.nodes)
            for name, original, slot in node.slots
        }
        # Slot variables are restored once both their variable and their optimizer are bound, whichever is later.
        self.slots_of_variable: Slots = {}
        for optimizer, node in enumerate(saved.nodes):
            for name, original, slot in node.slots:
                self.slots_of_variable.setdefault(original, []).append((optimizer, name, slot))
        self.slots_of_optimizer: Slots = {}

    def run(self) -> None:
        self.bind(0, 0)
        self.spread()
        _Call(self.model.arrivals, self.arrive).run()

    @cached_property
    def states(self) -> dict[int, str]:
        """{saved object: its address} of those that hold values and are no variables."""
        return states(self.saved)

    def lost(self) -> tuple[str, ...]:
        """The addresses of saved objects that hold values, are no variables, and reach none that could refuse them."""
        held = (number for number, node in enumerate(self.model.nodes) if node.state or node.variable is not None)
        taking = set(held)
        return tuple(
            name for source, name in self.states.items() if source not in self.taken or self.bound[source] not in taking
        )

    def refused(self, saved: Signature, model: Signature) -> Iterator[Failure]:
        """The objects that get what one of another kind has saved, of which one is no variable."""
        names: dict[int, str] = {}
        for source in sorted(self.taken):
            old, new = self.saved.nodes[source], self.model.nodes[self.bound[source]]
            if not (old.state or new.state):
                continue
            names = names or _names(self.saved)
            if (refusal := stored_state.refused(old, new, names.get(source, str(source)))) is not None:
                at = (names[source],), (states(self.model).get(self.bound[source], names[source]),)
                yield Failure(refusal.message, _path(saved, old) or at[0], _path(model, new) or at[1], refusal=refusal)

    def bind(self, source: int, target: int) -> None:
        if source not in self.bound:
            self.bound[source] = target
            self.sources.setdefault(target, []).append(source)
            self.queue.append(source)

    def spread(self, symbolic: bool = False) -> None:
        """Binds all that is reached from what was bound last.

        Raises:
            _RefusedError: a variable would have got a value in a symbolic run; it never gets it any more.
        """
        refused = False
        while self.queue:
            source = self.queue.popleft()
            target = self.bound[source]
            stored, live = self.saved.nodes[source], self.model.nodes[target]
            if target not in self.restored:
                # `_single_restore`: an object that two saved ones are bound to takes only the first one's value.
                self.restored.add(target)
                self.taken.add(source)
                if stored.variable is not None and live.variable is not None:
                    if symbolic:
                        refused = True
                    else:
                        self.pairs.append((stored.variable, live.variable))
            if stored.children:
                edges = dict(live.children)
                for name, child in stored.children:
                    if child not in self.bound and name in edges and (target, name) not in self.hidden:
                        self.bind(child, edges[name])
            self.spread_slots(source, target)
        if refused:
            raise _RefusedError

    def spread_slots(self, source: int, target: int) -> None:
        live = self.model.nodes[target]
        for original, name, slot in self.slots_of_optimizer.pop(source, ()) if self.slots_of_optimizer else ():
            if live.slots_by is None:  # asked without a look whether it has any
                self.fail(f"'{live.type}' object has no attribute '_create_or_restore_slot_variable'")
            self.bind_slot(slot, target, name, original)
        for optimizer, name, slot in self.slots_of_variable.pop(source, ()) if self.slots_of_variable else ():
            if optimizer not in self.bound:
                self.slots_of_optimizer.setdefault(optimizer, []).append((target, name, slot))
            else:
                self.bind_slot(slot, self.bound[optimizer], name, target)

    def bind_slot(self, source: int, optimizer: int, name: str, original: int) -> None:
        """`_create_or_restore_slot_variable`."""
        if (optimizer, name, original) in self.slots:
            self.bind(source, self.slots[optimizer, name, original])
        elif self.model.nodes[optimizer].slots_by == "refusing":
            self.fail(_REFUSED)
        elif self.model.nodes[optimizer].slots_by == "making":
            if self.model.nodes[original].variable is None:
                self.fail(f"'{self.model.nodes[original].type}' object has no attribute '_unique_id'")
            elif (variable := self.saved.nodes[source].variable) is not None:
                self.created.add(variable)

    def fail(self, message: str) -> None:
        if Failure(message) not in self.failures:
            self.failures += (Failure(message),)

    def arrive(self, arrival: Arrival, symbolic: bool) -> None:
        """`_handle_deferred_dependencies`: an edge is there that was looked for in vain.

        Raises:
            _RefusedError: as `spread`.
        """
        if (arrival.node, arrival.edge) not in self.hidden:
            return
        self.hidden.discard((arrival.node, arrival.edge))
        target = dict(self.model.nodes[arrival.node].children)[arrival.edge]
        for source in self.sources.get(arrival.node, ()):
            for name, child in self.saved.nodes[source].children:
                if name == arrival.edge:
                    self.bind(child, target)
        self.spread(symbolic)


class _Call:
    """The first call of a model: edges arrive in their order.

    Keras 3 runs a layer without a `build` symbolically before it calls it. A value that arrives there makes that run
    fail, which Keras passes over: the layer's call then builds what the run had not.

    Source: keras/src/layers/layer.py `_maybe_build`.
    """

    def __init__(self, arrivals: Sequence[Arrival], arrive: Callable[[Arrival, bool], None]) -> None:
        self.arrivals, self.arrive = arrivals, arrive
        self.ended: set[int] = set()

    def run(self) -> None:
        self.play(self.arrivals, 0, symbolic=False)

    def play(self, arrivals: Sequence[Arrival], depth: int, *, symbolic: bool) -> None:
        """Args: `depth` is the number of runs around these arrivals that have been entered or have ended."""
        for run, group in itertools.groupby(arrivals, lambda arrival: (*arrival.runs, None)[depth : depth + 1]):
            its = list(group)
            if run == (None,):
                for arrival in its:
                    self.arrive(arrival, symbolic)
                continue
            if run[0] not in self.ended:
                with contextlib.suppress(_RefusedError):
                    self.play(its, depth + 1, symbolic=True)
            self.play(its, depth + 1, symbolic=symbolic)
            # Only a layer whose call came to its end is built.
            self.ended.add(run[0])


def _path(signature: Signature, node: GraphNode) -> tuple[str, ...]:
    """The variable that an object is, if it is one."""
    return () if node.variable is None else (signature.variables[node.variable].path,)


def _mismatch(saved: Variable, model: Variable, *, any_shape: bool) -> str | None:
    if saved.dtype != model.dtype:
        return f"tensor_name = {saved.path}; expected dtype {model.dtype} does not equal original dtype {saved.dtype}"
    if not any_shape and not compatible(saved.shape, model.shape):
        return (
            f"Received incompatible tensor with shape {_text(saved.shape)} when attempting to restore variable "
            f"with shape {_text(model.shape)} and name {model.path}."
        )
    return None


def _text(shape: tuple[int | None, ...] | None) -> str:
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
    return {variable for number in reached if (variable := graph.nodes[number].variable) is not None}


def _addresses(graph: ObjectGraph) -> dict[int, str]:
    """{variable: its first path of edges}, which is the key that a checkpoint keeps it under."""
    names = _names(graph)
    found: dict[int, str] = {}
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
