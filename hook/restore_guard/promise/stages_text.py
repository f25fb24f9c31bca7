"""What a manifest says of a model's earlier stages: only what was otherwise than at the last one."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from restore_guard.promise.json_text import Malformed, convert
from restore_guard.promise.manifest_reading import graph_from_names, h5_from_names, tree_from_names
from restore_guard.promise.manifest_text import graph_to_names, h5_to_names, join, node_names, tree_to_names
from restore_guard.signature import Arrival, Signature, Stage, StageName

Document = dict[str, Any]
# What is otherwise in a document, or all of it.
Told = dict[Literal["changes", "whole"], Document]


class StageText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A stage in a manifest.

    Attributes:
        object_graph: {object: what it is at this stage, None where it is not there}, of those that are otherwise.
        keras_tree, h5_file: {"changes"}, the same of their entries, or {"whole"} with all of them.
    """

    absent: tuple[str, ...] = ()
    object_graph: dict[str, Any] | None = None
    arrivals: tuple[tuple[str, str, tuple[int, ...]], ...] = ()
    unannounced: tuple[tuple[str, str], ...] = ()
    keras_tree: Told = {}
    h5_file: Told = {}


def write(signature: Signature, document: Document) -> Document:
    """Returns {stage: what was otherwise at it}.

    Args:
        document: that of the manifest, with the last stage.
    """
    variables = [variable.path for variable in signature.variables]
    return {
        stage.name: msgspec.to_builtins(_to_names(stage, signature, document, variables))
        for stage in signature.stages or ()
    }


def read(stages: Mapping[StageName, Any], signature: Signature, document: Document) -> Signature:
    """The signature with the stages of a manifest.

    Args:
        signature: the last stage, read from `document`.

    Raises:
        Malformed: a stage is not in its form, or refers to what is not there.
    """
    index = {variable.path: number for number, variable in enumerate(signature.variables)}
    found: list[Stage] = []
    graph = document["object_graph"]
    # The graph before the first call is told by that of the next stage.
    for name in sorted(stages, key=["untrained", "uncalled"].index):
        text = convert(stages[name], StageText, ("stages", name))
        try:
            if text.object_graph is not None:
                graph = _in_order(_applied(graph, text.object_graph))
            found.insert(0, _from_names(name, text, graph, document, index))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise Malformed(f"it refers to what is not there ({error})", ("stages", name)) from error
    try:
        return msgspec.structs.replace(signature, stages=tuple(found))
    except ValueError as error:
        raise Malformed(str(error), ("stages",)) from error


def _to_names(stage: Stage, signature: Signature, document: Document, variables: list[str]) -> StageText:
    names, tree, h5 = node_names(signature.at(stage.name).object_graph), stage.keras_tree, stage.h5_file
    graph = graph_to_names(stage.object_graph, variables) if stage.object_graph is not None else None
    return StageText(
        absent=tuple(variables[position] for position in stage.absent),
        object_graph=_changes(document["object_graph"], graph) if graph is not None else None,
        arrivals=tuple((names[node], edge, runs) for node, edge, runs in stage.arrivals),
        unannounced=tuple((names[node], edge) for node, edge in stage.unannounced),
        keras_tree=_told(document["keras_tree"]["nodes"], tree_to_names(tree, variables)["nodes"]) if tree else {},
        h5_file=_told(document["h5_file"], h5_to_names(h5, variables)) if h5 else {},
    )


def _from_names(
    name: StageName, text: StageText, graph: Document, document: Document, variables: Mapping[str, int]
) -> Stage:
    nodes = {node: number for number, node in enumerate(graph)}
    tree, h5 = document["keras_tree"], document["h5_file"]
    if tree is not None:
        tree = {**tree, "nodes": _heard(tree["nodes"], text.keras_tree)}
    if h5 is not None:
        h5 = _heard(h5, text.h5_file)
    return Stage(
        name=name,
        absent=tuple(variables[path] for path in text.absent),
        object_graph=graph_from_names(graph, variables) if text.object_graph is not None else None,
        arrivals=tuple(Arrival(nodes[node], edge, runs) for node, edge, runs in text.arrivals),
        unannounced=tuple((nodes[node], edge) for node, edge in text.unannounced),
        keras_tree=tree_from_names(tree, variables) if tree is not None else None,
        h5_file=h5_from_names(h5, variables) if h5 is not None else None,
    )


def _changes(whole: Document, part: Document) -> Document:
    """What makes `part` of `whole`: the entries that are otherwise, None for one that is gone."""
    return {name: part.get(name) for name in {**whole, **part} if whole.get(name) != part.get(name)}


def _applied(whole: Document, changes: Document) -> Document:
    return {name: entry for name, entry in {**whole, **changes}.items() if entry is not None}


def _told(whole: Document, part: Document) -> Told:
    """{"changes"}, or {"whole"} where these would not give the order of the entries; {} where nothing is otherwise."""
    changes = _changes(whole, part)
    if list(_applied(whole, changes)) != list(part):
        return {"whole": part}
    return {"changes": changes} if changes else {}


def _heard(whole: Document, told: Told) -> Document:
    return told["whole"] if "whole" in told else _applied(whole, told.get("changes", {}))


def _in_order(graph: Document) -> Document:
    """The objects of a graph breadth first, as they are read of a model; what no edge leads to comes last."""
    if "error" in graph and isinstance(graph["error"], str):
        return graph
    found, queue = dict.fromkeys([""]), deque([""])
    while queue:
        name = queue.popleft()
        for edge in graph[name].get("children", ()):
            if (target := join(name, edge) if isinstance(edge, str) else edge[1]) not in found:
                found[target] = None
                queue.append(target)
    return {name: graph[name] for name in {**found, **graph}}
