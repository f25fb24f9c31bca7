"""A signature in a manifest's words: everything refers by name, never by number, so that an insertion changes only
its own lines. `manifest_reading` is the way back.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from restore_guard.keras_tree import KerasTree
from restore_guard.restore_paths import same_promise
from restore_guard.saver_file import SaverFile
from restore_guard.signature import Archive, H5File, ObjectGraph, Revival, Signature

SECTIONS = ("object_graph", "keras_tree", "h5_file", "archive", "whole_h5", "saver_file")
"""The sections of a document that refer to variables and objects."""


def write(signature: Signature) -> dict[str, Any]:
    """Returns {section: its content} for `SECTIONS`; the last three only where they are needed."""
    names = [variable.path for variable in signature.variables]
    document: dict[str, Any] = {
        "object_graph": graph_to_names(signature.object_graph, names),
        "keras_tree": tree_to_names(signature.keras_tree, names) if signature.keras_tree else None,
        "h5_file": h5_to_names(signature.h5_file, names) if signature.h5_file else None,
    }
    # Only where the path that needs it is promised.
    if signature.archive is not None:
        document["archive"] = _archive_to_document(signature.archive, signature)
    if signature.whole_h5 is not None:
        document["whole_h5"] = _archive_to_document(signature.whole_h5, signature)
    if signature.saver_file is not None:
        document["saver_file"] = _saver_to_names(signature.saver_file, names)
    return document


# Objects are named by the first path of edges that leads to them, as a checkpoint's keys are.


def _names(children: Mapping[int, Iterable[tuple[str, int]]], count: int) -> list[str]:
    """Returns a unique name for each node: breadth first from node 0, which is "". Slot nodes keep a number."""
    names, taken, queue = {0: ""}, {""}, [0][:count]
    for number in queue:
        for edge, child in children[number]:
            if child not in names:
                names[child] = _free(join(names[number], edge), taken)
                queue.append(child)
    return [names[number] if number in names else _free(f"#{number}", taken) for number in range(count)]


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def join(name: str, edge: str) -> str:
    """The name of what an edge leads to."""
    return f"{name}/{edge}" if name else edge


def node_names(graph: ObjectGraph) -> list[str]:
    """A unique name for each object: its first path of edges, as a checkpoint's keys are."""
    return _names({number: node.children for number, node in enumerate(graph.nodes)}, len(graph.nodes))


def graph_to_names(graph: ObjectGraph, variables: list[str]) -> dict[str, Any]:
    if graph.error:
        return {"error": graph.error}
    names, document = node_names(graph), {}
    for number, node in enumerate(graph.nodes):
        entry: dict[str, Any] = {"type": node.type}
        if node.variable is not None:
            entry["variable"] = variables[node.variable]
        if node.state:
            entry["state"] = node.state
        if node.children:
            entry["children"] = [_edge(names[number], edge, names[child]) for edge, child in node.children]
        if node.slots_by == "making":
            entry["slots"] = [[name, names[original], names[slot]] for name, original, slot in node.slots]
        document[names[number]] = entry
    return document


def _edge(name: str, edge: str, target: str) -> str | list[str]:
    return edge if target == join(name, edge) else [edge, target]


def tree_to_names(tree: KerasTree, variables: list[str]) -> dict[str, Any]:
    children = {
        number: [edge for child in node.children for edge in _flat(*child)] for number, node in enumerate(tree.nodes)
    }
    names = _names(children, len(tree.nodes))
    nodes = {}
    for number, node in enumerate(tree.nodes):
        entry: dict[str, Any] = {"type": node.type, "role": node.role}
        if node.name is not None:
            entry["name"] = node.name
        if node.variables:
            entry["variables"] = [variables[position] for position in node.variables]
        if not node.built:
            entry["built"] = False
        if node.vocabulary is not None:
            entry["vocabulary"] = node.vocabulary
        if node.children:
            entry["children"] = [[attribute, _target(target, names)] for attribute, target in node.children]
        nodes[names[number]] = entry
    flags = {"refuses_unbuilt": True} if tree.refuses_unbuilt else {}
    return {"generation": tree.generation, "nests": tree.nests, **flags, "nodes": nodes}


def _flat(path: str, target: Any) -> Iterable[tuple[str, int]]:
    if isinstance(target, int):
        yield path, target
    else:
        counts: dict[str, int] = {}
        for key, item in target:
            counts[key] = counts.get(key, -1) + 1
            if item is not None:
                yield from _flat(join(path, f"{key}_{counts[key]}" if counts[key] else key), item)


def _target(target: Any, names: list[str]) -> Any:
    if isinstance(target, int):
        return names[target]
    return None if target is None else [[key, _target(item, names)] for key, item in target]


def h5_to_names(file: H5File, variables: list[str]) -> dict[str, Any]:
    if file.error:
        return {"error": file.error}
    return {
        layer.name: {
            "type": layer.type,
            "variables": [variables[position] for position in layer.variables],
            **({"by_name": [variables[position] for position in layer.by_name]} if layer.by_name is not None else {}),
        }
        for layer in file.layers
    }


def _archive_to_document(archive: Archive, signature: Signature) -> dict[str, Any]:
    """The configuration as JSON of the manifest; what its own code makes of it only where that is another model."""
    try:
        config = archive.config and msgspec.json.decode(archive.config)
    except (msgspec.DecodeError, RecursionError):  # NaN and Infinity, which Python writes and JSON does not know
        config = archive.config
    document = {"config": config}
    if archive.error is not None:
        document["error"] = archive.error
    if archive.optimizer:
        document["optimizer"] = [signature.variables[position].path for position in archive.optimizer]
    revival = archive.revival
    if revival is not None and revival.configured:
        document["configured"] = list(revival.configured)
    if revival is not None and not _is_alike(revival.signature, archive, signature):
        revived = revival.signature and revival.signature.without_sites()
        document["revival"] = msgspec.to_builtins(Revival(revived, revival.error))
    return document


def _is_alike(made: Signature | None, archive: Archive, signature: Signature) -> bool:
    """Whether what the code makes of the configuration is the model itself."""
    if made is None or not same_promise(made, signature, ["keras-weights"]):
        return False
    if made.whole_h5 is None:
        return True
    listed = (
        [of.variables[position].path for position in whole.optimizer]
        for of, whole in ((made, made.whole_h5), (signature, archive))
    )
    return operator.eq(*listed) and same_promise(made, signature, ["h5-by-name"])


def _saver_to_names(file: SaverFile, variables: list[str]) -> dict[str, Any]:
    if file.error:
        return {"error": file.error}
    entries = [{**msgspec.to_builtins(entry), "variable": variables[entry.variable]} for entry in file.entries]
    states = [{"name": state.name, "state": state.state} for state in file.states]
    others = {"states": states, "by_full_name": file.by_full_name}
    return {"entries": entries, **{name: value for name, value in others.items() if value}}


def lines(document: Mapping[str, Any]) -> str:
    """JSON with one entry of each section on a line."""
    parts = []
    for key, value in document.items():
        if key == "keras_tree" and value is not None:
            head = {name: value[name] for name in value if name != "nodes"}
            text = _compact(head)[:-1] + ', "nodes": ' + _section(value["nodes"], "  ") + "}"
        elif key in ("archive", "whole_h5", "saver_file", "stages"):
            text = _outline(value, "  ", 4)
        else:
            text = _section(value, "") if isinstance(value, dict | list) and value else _compact(value)
        parts.append(f"  {_compact(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _outline(value: Any, indent: str, levels: int) -> str:
    """JSON whose outer levels have an entry a line: a layer's configuration, for instance."""
    if (
        not levels
        or not isinstance(value, dict | list)
        or not any(isinstance(item, dict | list) for item in _items(value))
    ):
        return _compact(value)
    inner = f",\n{indent}  ".join(
        (f"{_compact(key)}: " if key is not None else "") + _outline(item, indent + "  ", levels - 1)
        for key, item in (value.items() if isinstance(value, dict) else ((None, item) for item in value))
    )
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{indent}  {inner}\n{indent}{closing}"


def _items(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _section(value: dict[str, Any] | list[Any], indent: str) -> str:
    if isinstance(value, dict):
        entries, brackets = [f"{_compact(key)}: {_compact(item)}" for key, item in value.items()], "{}"
    else:
        entries, brackets = [_compact(item) for item in value], "[]"
    inner = ",\n".join(f"    {indent}{entry}" for entry in entries)
    return f"{brackets[0]}\n{inner}\n  {indent}{brackets[1]}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
