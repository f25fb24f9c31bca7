"""A checkpoint file in a model's words: which of the file's values is which variable, and what a manifest keeps of it.

A file knows its variables by its own keys (`layer_with_weights-0/kernel`, `layers/dense/vars/0`). The restore
itself tells which variable of the model each one is; names that a file keeps of its layers correct it. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from restore_guard.correspondence import is_automatic_name, leaf
from restore_guard.restore_paths import Outcome, restore, restore_unchanged
from restore_guard.signature import GraphNode, ObjectGraph, Revival, Signature, Variable


def in_words_of(model: Signature, saved: Signature, path: str) -> Signature:
    """Returns what a file holds, each variable under the path that a person knows it by.

    What the file cannot hold, because the restore path never writes it, is listed with it: a value that no
    checkpoint has is not missing in this one.
    """
    outcome = restore(path, _with_revival(saved), model)
    news = {variable.path: variable for variable in model.variables}
    names = _names(outcome, {variable.path: variable for variable in saved.variables}, news)
    taken = set(names.values())
    variables = []
    for variable in saved.variables:
        name = names.get(variable.path) or _free(_plain(variable, news), variable.path, taken)
        taken.add(name)
        variables.append(_described(variable, name, news.get(name)))
    never = [news[name] for name in restore_unchanged(path, model).initial if name not in taken]
    return _with_revival(msgspec.structs.replace(saved, variables=(*variables, *never)))


def _with_revival(saved: Signature) -> Signature:
    """Whatever a `.keras` file is made into when it is loaded, it was saved from a model with just its weights."""
    if saved.archive is None:
        return saved
    archive = msgspec.structs.replace(saved.archive, revival=Revival(saved))
    return msgspec.structs.replace(saved, archive=archive)


def _names(outcome: Outcome, olds: Mapping[str, Variable], news: Mapping[str, Variable]) -> dict[str, str]:
    """{saved variable: the variable of the model that it is}, as far as the restore shows it."""
    pairs = {saved: new for new, saved in outcome.assigned.items()}
    for failure in outcome.failures:
        if len(failure.saved) == len(failure.model):
            pairs |= dict(zip(failure.saved, failure.model, strict=True))
    swapped = _swapped(pairs, olds, news)
    names = {saved: swapped.get(saved, new) for saved, new in pairs.items()}
    counts = Counter(names.values())
    return {saved: name if counts[name] == 1 else pairs[saved] for saved, name in names.items()}


def _swapped(pairs: Mapping[str, str], olds: Mapping[str, Variable], news: Mapping[str, Variable]) -> dict[str, str]:
    """{saved variable: the one it should go to}, where the file and the model name the same layers otherwise.

    Only where both have the same names throughout: else layers were renamed, and a name tells nothing.
    """
    named = {
        saved: (old.owner_name, new)
        for saved, to in pairs.items()
        for old, new in [(olds[saved], news[to])]
        if _chosen(old.owner_name, new.owner) and _chosen(new.owner_name, new.owner)
    }
    if not {old for old, _ in named.values()} <= {new.owner_name for _, new in named.values()}:
        return {}
    rightful = {(new.owner_name, leaf(new.path), new.shape): new.path for _, new in named.values()}
    return {
        saved: rightful[old, leaf(new.path), new.shape]
        for saved, (old, new) in named.items()
        if old != new.owner_name and (old, leaf(new.path), new.shape) in rightful
    }


def _chosen(name: str | None, owner: str | None) -> bool:
    return name is not None and not is_automatic_name(name, owner)


def _plain(variable: Variable, news: Mapping[str, Variable]) -> str:
    """A key as the attributes are called (Keras 3 keeps `kernel` as `_kernel`), or by its layer if the model has it."""
    name = "/".join(part.lstrip("_") or part for part in variable.path.split("/"))
    named = f"{variable.owner_name}/{leaf(name)}"
    return named if named in news else name


def _free(name: str, key: str, taken: Collection[str]) -> str:
    if name in taken:
        name = key
    while name in taken:
        name += "'"
    return name


def _described(variable: Variable, name: str, new: Variable | None) -> Variable:
    """With what the file does not know of it, where the model has a variable of this name."""
    if new is None:
        return msgspec.structs.replace(variable, path=name)
    return msgspec.structs.replace(
        variable,
        path=name,
        trainable=new.trainable,
        owner=new.owner,
        owner_name=new.owner_name,
        seed=variable.seed or new.seed,
    )


# --- the object that a TensorFlow checkpoint was saved from --------------------------------------------------


def root_edge(saved: Signature, model: Signature) -> str | None:
    """Under which name a checkpoint holds the model: `model` for one of `tf.train.Checkpoint(model=...)`.

    None where it is the root itself, or where nothing restores either way.
    """
    nodes = model.object_graph.nodes
    if not nodes or not saved.object_graph.nodes or not restore("tf-checkpoint", saved, model).initial:
        return None
    own = {name for name, _ in nodes[0].children}
    edges = [None, *(name for name, _ in saved.object_graph.nodes[0].children if name not in own)]
    return max(edges, key=lambda edge: len(restore("tf-checkpoint", saved, below(model, edge)).assigned))


def below(model: Signature, edge: str | None) -> Signature:
    """The model as `tf.train.Checkpoint(edge=model)` restores it."""
    graph = model.object_graph
    if edge is None or not graph.nodes:
        return model
    moved = (
        GraphNode(
            node.type,
            node.variable,
            tuple((name, child + 1) for name, child in node.children),
            tuple((name, original + 1, slot + 1) for name, original, slot in node.slots),
        )
        for node in graph.nodes
    )
    root = GraphNode("Checkpoint", None, ((edge, 1),))
    return msgspec.structs.replace(model, object_graph=ObjectGraph((root, *moved)))


def _part(graph: ObjectGraph, edge: str | None) -> ObjectGraph:
    """What a checkpoint holds below an edge of its root, with that as the root."""
    start = dict(graph.nodes[0].children)[edge] if edge is not None else 0
    found, queue = {start: 0}, [start]
    for number in queue:
        node = graph.nodes[number]
        for child in (*(child for _, child in node.children), *(n for _, *both in node.slots for n in both)):
            if child not in found:
                found[child] = len(found)
                queue.append(child)
    return ObjectGraph(
        tuple(
            GraphNode(
                graph.nodes[number].type,
                graph.nodes[number].variable,
                tuple((name, found[child]) for name, child in graph.nodes[number].children),
                tuple((name, found[original], found[slot]) for name, original, slot in graph.nodes[number].slots),
            )
            for number in queue
        )
    )


# --- what a manifest keeps -----------------------------------------------------------------------------------

# The part of a signature that a manifest takes from a checkpoint.
PINNED = {
    "tf-checkpoint": "object_graph",
    "keras-weights": "keras_tree",
    "h5": "h5_file",
    "h5-by-name": "h5_file",
    "tf1-saver": "saver_file",
}
# A `.keras` file holds its weights as a weights file does.
_READ = PINNED | {"keras-archive": "keras_tree"}


def unpinned(paths: Iterable[str], pinned: Iterable[str]) -> list[str]:
    """The restore paths on which a manifest holds what a build would write."""
    fields = {PINNED[path] for path in pinned}
    return [path for path in paths if _READ[path] not in fields]


def pin(model: Signature, saved: Signature, path: str, edge: str | None = None) -> Signature | None:
    """Returns the model's signature, but for one restore path with what a checkpoint really holds.

    Of the checkpoint that is what restores: a value that nothing takes is no promise, and neither is a variable
    that it has no value for. None where nothing of it restores, because the load call raises.
    """
    outcome = restore(path, saved, below(model, edge))
    if outcome.kind not in ("restores", "partial"):
        return None
    positions = {variable.path: number for number, variable in enumerate(model.variables)}
    kept = {saved_name: positions[new] for new, saved_name in outcome.assigned.items()}
    unused = set(outcome.unused)
    moved = {
        number: kept[variable.path]
        for number, variable in enumerate(saved.variables)
        if variable.path in kept and variable.path not in unused
    }
    return msgspec.structs.replace(model, **dict(_moved(saved, path, edge, moved)))


def _moved(saved: Signature, path: str, edge: str | None, moved: Mapping[int, int]) -> Iterator[tuple[str, object]]:
    """The part of the signature that a restore path reads, its variables numbered as the model's."""
    replace = msgspec.structs.replace

    def numbers(variables: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(moved[number] for number in variables if number in moved)

    if PINNED[path] == "object_graph":
        graph = _part(saved.object_graph, edge)
        yield (
            "object_graph",
            ObjectGraph(tuple(replace(node, variable=moved.get(node.variable)) for node in graph.nodes)),
        )
    elif PINNED[path] == "saver_file":
        entries = (entry for entry in saved.saver_file.entries if entry.variable in moved)
        yield (
            "saver_file",
            replace(
                saved.saver_file,
                entries=tuple(replace(entry, variable=moved[entry.variable]) for entry in entries),
            ),
        )
    elif PINNED[path] == "h5_file":
        layers = tuple(replace(layer, variables=numbers(layer.variables)) for layer in saved.h5_file.layers)
        yield "h5_file", replace(saved.h5_file, layers=layers)
    else:
        nodes = tuple(replace(node, variables=numbers(node.variables)) for node in saved.keras_tree.nodes)
        yield "keras_tree", replace(saved.keras_tree, nodes=nodes)
