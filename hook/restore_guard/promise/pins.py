"""Restore paths that a manifest pins to a checkpoint instead of a build."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from restore_guard.promise.around import below, part
from restore_guard.restore_paths import restore
from restore_guard.signature import ObjectGraph, Signature

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
    # Of a file nobody knows at which stage it was saved.
    return msgspec.structs.replace(model, **dict(_moved(saved, path, edge, moved)), stages=None)


def _moved(saved: Signature, path: str, edge: str | None, moved: Mapping[int, int]) -> Iterator[tuple[str, object]]:
    """The part of the signature that a restore path reads, its variables numbered as the model's."""
    replace = msgspec.structs.replace

    def numbers(variables: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(moved[number] for number in variables if number in moved)

    if PINNED[path] == "object_graph":
        graph = part(saved.object_graph, edge)
        yield (
            "object_graph",
            ObjectGraph(
                tuple(
                    replace(node, variable=moved.get(node.variable) if node.variable is not None else None)
                    for node in graph.nodes
                )
            ),
        )
    elif PINNED[path] == "saver_file" and (saver := saved.saver_file) is not None:
        entries = (entry for entry in saver.entries if entry.variable in moved)
        yield (
            "saver_file",
            replace(
                saver,
                entries=tuple(replace(entry, variable=moved[entry.variable]) for entry in entries),
            ),
        )
    elif PINNED[path] == "h5_file" and (file := saved.h5_file) is not None:
        layers = tuple(replace(layer, variables=numbers(layer.variables)) for layer in file.layers)
        yield "h5_file", replace(file, layers=layers)
    elif PINNED[path] == "keras_tree" and (tree := saved.keras_tree) is not None:
        nodes = tuple(replace(node, variables=numbers(node.variables)) for node in tree.nodes)
        yield "keras_tree", replace(tree, nodes=nodes)
