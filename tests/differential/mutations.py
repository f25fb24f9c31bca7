"""Changes to models, as a person makes them: pure functions from a model to a changed one.

Each takes the model, a number that chooses the node and a number that chooses among variants; where it cannot be
applied, it returns the model as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from differential.models import (
    BLOCKS,
    CONTAINERS,
    IDLE,
    LAYERS,
    OPTIMIZERS,
    OWN_VARIABLES,
    ROOTS_OF_KERAS,
    SLOTS,
    Model,
    Node,
)

# Early and late in the alphabet: Keras walks attributes in its order.
WORDS = ("aaa", "body", "dense_1", "encoder", "head", "layer_0", "zzz", "_hidden")
SIZES = (3, 2, 4, 5)
DTYPES = (None, "float64", "float16", "bfloat16")
_STACKS = ("sequential", "functional", *BLOCKS)
# What can be called with one tensor, wherever it stands.
_CALLED = (*LAYERS, *_STACKS)

Mutation = Callable[[Model, int, int], Model]


def _is_plain(node: Node) -> bool:
    return all(child.kind in _CALLED for _, child in node.children)


def _children(model: Model, target: int) -> tuple[tuple[int, ...], Node, int] | None:
    """(the parent's place, the parent, the child's position): the target-th node that has a parent."""
    places = [place for place, _ in model.root.walk() if place]
    if not places:
        return None
    place = places[target % len(places)]
    return place[:-1], model.root.at(place[:-1]), place[-1]


def _with(model: Model, place: tuple[int, ...], node: Node) -> Model:
    return replace(model, root=model.root.put(place, node))


def _relisted(model: Model, place: tuple[int, ...], parent: Node, children: list[tuple[str, Node]]) -> Model:
    labels = [label for label, _ in children]
    if len(set(labels)) != len(labels) or not children:
        return model
    return _with(model, place, replace(parent, children=tuple(children)))


def _changed(choose: Callable[[Node, int], Node]) -> Mutation:
    """A mutation of one node by itself."""

    def mutation(model: Model, target: int, variant: int) -> Model:
        found = _children(model, target)
        if found is None:
            return model
        place, parent, position = found
        return _with(model, (*place, position), choose(parent.children[position][1], variant))

    return mutation


def _listed(change: Callable[[list[tuple[str, Node]], int, int, Node], None]) -> Mutation:
    """A mutation of the list of a node's children, done in place."""

    def mutation(model: Model, target: int, variant: int) -> Model:
        found = _children(model, target)
        if found is None:
            return model
        place, parent, position = found
        children = list(parent.children)
        change(children, position, variant, parent)
        return _relisted(model, place, parent, children)

    return mutation


def _rename(children, position, variant, parent):
    children[position] = WORDS[variant % len(WORDS)], children[position][1]


def _remove(children, position, variant, parent):
    del children[position]


def _insert(children, position, variant, parent):
    kinds = tuple(LAYERS) if parent.kind in (*_STACKS, *CONTAINERS, "branches") else ("linear", "variable", "dense")
    new = Node(kinds[variant % len(kinds)])
    children.insert(position + variant % 2, (f"new_{variant % 3}", new))


def _reorder(children, position, variant, parent):
    children.insert((position + 1 + variant) % len(children), children.pop(position))


def _exchange_labels(children, position, variant, parent):
    other = (position + 1) % len(children)
    (one, node), (two, sibling) = children[position], children[other]
    if position != other:
        children[position], children[other] = (two, node), (one, sibling)


def _share(children, position, variant, parent):
    if parent.kind in ("functional", "module", *BLOCKS) and position:
        children[position] = children[position][0], Node("same", units=variant)


def _unshare(children, position, variant, parent):
    label, node = children[position]
    if node.kind == "same" and position:
        children[position] = label, children[node.units % position][1]


def _wrap(children, position, variant, parent):
    label, node = children[position]
    if node.kind in _CALLED and parent.kind not in ("module", "checkpoint", "graph", "scope"):
        kind = ("layer", "sequential", "functional", "model")[variant % 4]
        children[position] = label, Node(kind, (("inner", node),))
    elif node.kind in ("linear", "variable") and parent.kind in ("module", "checkpoint"):
        children[position] = label, Node("module", (("inner", node),))
    elif parent.kind in ("graph", "scope"):
        children[position] = label, Node("scope", (("inner", node),))


def _nest(children, position, variant, parent):
    """Some neighbours become one block."""
    end = position + 2 + variant % 2
    part = children[position:end]
    if len(part) > 1 and all(node.kind in _CALLED for _, node in part):
        children[position:end] = [("nested", Node(("layer", "sequential", "functional")[variant % 3], tuple(part)))]


def _containerise(children, position, variant, parent):
    """Some neighbours become the items of one list, tuple or dict."""
    end = position + 2 + variant % 2
    part = children[position:end]
    if parent.kind in (*BLOCKS, "module", *CONTAINERS) and all(
        node.kind not in ("same", "weight", *IDLE) for _, node in part
    ):
        kept = part if parent.kind == "module" else [item for item in part if item[1].kind not in OWN_VARIABLES]
        if len(kept) == len(part):
            children[position:end] = [("items", Node(CONTAINERS[variant % 3], tuple(part)))]


def _retype(node: Node, variant: int) -> Node:
    if node.kind in LAYERS:
        return replace(node, kind=tuple(LAYERS)[variant % len(LAYERS)])
    for kinds in (CONTAINERS, _STACKS, OWN_VARIABLES, tuple(IDLE)):
        if node.kind in kinds:
            kind = kinds[variant % len(kinds)]
            alike = {node.kind, kind} <= set(BLOCKS) or kind not in _STACKS
            return replace(node, kind=kind) if alike or _is_plain(node) else node
    return node


def _rename_layer(node: Node, variant: int) -> Node:
    return replace(node, name=None if node.name else WORDS[variant % 7]) if node.kind in LAYERS else node


def _restyle(model: Model, target: int, variant: int) -> Model:
    """The same layers as a Sequential, a functional model or a subclass."""
    if not model.is_keras or not _is_plain(model.root) or model.deferred:
        return model
    return replace(model, root=replace(model.root, kind=ROOTS_OF_KERAS[variant % 3]))


def _reoptimise(model: Model, target: int, variant: int) -> Model:
    choices = (None, *OPTIMIZERS) if model.is_keras else (None, *SLOTS)
    return model if model.root.kind == "module" else replace(model, optimizer=choices[variant % len(choices)])


def _reregister(model: Model, target: int, variant: int) -> Model:
    return replace(model, registered=not model.registered) if model.is_keras else model


MUTATIONS: dict[str, Mutation] = {
    "rename": _listed(_rename),
    "insert": _listed(_insert),
    "remove": _listed(_remove),
    "reorder": _listed(_reorder),
    "exchange-labels": _listed(_exchange_labels),
    "share": _listed(_share),
    "unshare": _listed(_unshare),
    "wrap": _listed(_wrap),
    "nest": _listed(_nest),
    "containerise": _listed(_containerise),
    "retype": _changed(_retype),
    "reshape": _changed(lambda node, variant: replace(node, units=SIZES[variant % 4])),
    "re-dtype": _changed(lambda node, variant: replace(node, dtype=DTYPES[variant % 4])),
    "freeze": _changed(lambda node, variant: replace(node, trainable=not node.trainable)),
    "bias": _changed(lambda node, variant: replace(node, bias=not node.bias)),
    "rename-layer": _changed(_rename_layer),
    "restyle": _restyle,
    "reoptimise": _reoptimise,
    "reregister": _reregister,
}
