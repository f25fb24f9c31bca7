"""The text of a manifest: one variable a line, names in place of numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from restore_guard.restore_paths import same_promise
from restore_guard.signature import (
    Archive,
    GraphNode,
    H5File,
    H5Layer,
    KerasTree,
    ObjectGraph,
    Revival,
    SaverFile,
    Signature,
    TreeNode,
)


def _names(children: Mapping[int, Iterable[tuple[str, int]]], count: int) -> list[str]:
    """Returns a unique name for each node: breadth first from node 0, which is "". Slot nodes keep a number."""
    names, taken, queue = {0: ""}, {""}, [0][:count]
    for number in queue:
        for edge, child in children[number]:
            if child not in names:
                name = _join(names[number], edge)
                while name in taken:
                    name += "'"
                names[child] = name
                taken.add(name)
                queue.append(child)
    return [names.get(number, f"#{number}") for number in range(count)]


def _join(name: str, edge: str) -> str:
    return f"{name}/{edge}" if name else edge


def graph_to_names(graph: ObjectGraph, variables: list[str]) -> dict[str, Any]:
    if graph.error:
        return {"error": graph.error}
    names = _names({number: node.children for number, node in enumerate(graph.nodes)}, len(graph.nodes))
    document = {}
    for number, node in enumerate(graph.nodes):
        entry: dict[str, Any] = {"type": node.type}
        if node.variable is not None:
            entry["variable"] = variables[node.variable]
        if node.children:
            entry["children"] = [_edge(names[number], edge, names[child]) for edge, child in node.children]
        if node.slots_by == "making":
            entry["slots"] = [[name, names[original], names[slot]] for name, original, slot in node.slots]
        document[names[number]] = entry
    return document


def _edge(name: str, edge: str, target: str) -> str | list[str]:
    """An edge alone where it leads to the object that is named after it."""
    return edge if target == _join(name, edge) else [edge, target]


def graph_from_names(document: dict[str, Any], variables: Mapping[str, int]) -> ObjectGraph:
    if "error" in document and isinstance(document["error"], str):
        return ObjectGraph(error=document["error"])
    index = {name: number for number, name in enumerate(document)}
    return ObjectGraph(
        tuple(
            GraphNode(
                entry["type"],
                variables[entry["variable"]] if "variable" in entry else None,
                tuple(_edge_from(name, edge, index) for edge in entry.get("children", ())),
                tuple((slot, index[original], index[value]) for slot, original, value in entry.get("slots", ())),
                "making" if "slots" in entry else None,
            )
            for name, entry in document.items()
        )
    )


def _edge_from(name: str, edge: str | list[str], index: Mapping[str, int]) -> tuple[str, int]:
    if isinstance(edge, str):
        return edge, index[_join(name, edge)]
    return edge[0], index[edge[1]]


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
    return {"generation": tree.generation, "nests": tree.nests, "nodes": nodes}


def _flat(path: str, target: Any) -> Iterable[tuple[str, int]]:
    if isinstance(target, int):
        yield path, target
    else:
        counts: dict[str, int] = {}
        for key, item in target:
            counts[key] = counts.get(key, -1) + 1
            if item is not None:
                yield from _flat(_join(path, f"{key}_{counts[key]}" if counts[key] else key), item)


def _target(target: Any, names: list[str]) -> Any:
    if isinstance(target, int):
        return names[target]
    return None if target is None else [[key, _target(item, names)] for key, item in target]


def tree_from_names(document: dict[str, Any], variables: Mapping[str, int]) -> KerasTree:
    index = {name: number for number, name in enumerate(document["nodes"])}

    def target(value: Any) -> Any:
        if isinstance(value, str):
            return index[value]
        return None if value is None else tuple((key, target(item)) for key, item in value)

    return KerasTree(
        document["generation"],
        document["nests"],
        tuple(
            TreeNode(
                entry["type"],
                entry["role"],
                entry.get("name"),
                tuple(variables[name] for name in entry.get("variables", ())),
                entry.get("built", True),
                entry.get("vocabulary"),
                tuple((attribute, target(value)) for attribute, value in entry.get("children", ())),
            )
            for entry in document["nodes"].values()
        ),
    )


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


def h5_from_names(document: dict[str, Any], variables: Mapping[str, int]) -> H5File:
    if "error" in document and isinstance(document["error"], str):
        return H5File(error=document["error"])
    return H5File(
        tuple(
            H5Layer(
                name,
                entry["type"],
                tuple(variables[path] for path in entry["variables"]),
                tuple(variables[path] for path in entry["by_name"]) if "by_name" in entry else None,
            )
            for name, entry in document.items()
        )
    )


def archive_to_document(signature: Signature) -> dict[str, Any]:
    """The configuration as JSON of the manifest; what its own code makes of it only where that is another model."""
    archive = signature.archive
    try:
        config = archive.config and msgspec.json.decode(archive.config)
    except msgspec.DecodeError:  # NaN and Infinity, which Python writes and JSON does not know
        config = archive.config
    document = {"config": config}
    if archive.error is not None:
        document["error"] = archive.error
    revival = archive.revival
    if revival is not None and not (
        revival.signature and same_promise(revival.signature, signature, ["keras-weights"])
    ):
        revived = revival.signature and revival.signature.without_sites()
        document["revival"] = msgspec.to_builtins(Revival(revived, revival.error))
    return document


def with_archive(signature: Signature, document: dict[str, Any]) -> Signature:
    config = document["config"]
    revival = msgspec.convert(document["revival"], Revival) if "revival" in document else Revival(signature)
    return msgspec.structs.replace(
        signature,
        archive=Archive(
            config=json.dumps(config) if isinstance(config, dict) else config,
            error=document.get("error"),
            revival=revival if config is not None else None,
        ),
    )


def saver_to_names(file: SaverFile, variables: list[str]) -> dict[str, Any]:
    if file.error:
        return {"error": file.error}
    entries = [{**msgspec.to_builtins(entry), "variable": variables[entry.variable]} for entry in file.entries]
    return {"entries": entries}


def saver_from_names(document: dict[str, Any], variables: Mapping[str, int]) -> SaverFile:
    entries = [{**entry, "variable": variables[entry["variable"]]} for entry in document.get("entries", ())]
    return msgspec.convert({"entries": entries, "error": document.get("error")}, SaverFile)


def lines(document: dict[str, Any]) -> str:
    """JSON with one entry of each section on a line."""
    parts = []
    for key, value in document.items():
        if key == "keras_tree" and value is not None:
            head = {name: value[name] for name in ("generation", "nests")}
            text = _compact(head)[:-1] + ', "nodes": ' + _section(value["nodes"], "  ") + "}"
        elif key in ("archive", "saver_file"):
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
        lines, brackets = [f"{_compact(key)}: {_compact(item)}" for key, item in value.items()], "{}"
    else:
        lines, brackets = [_compact(item) for item in value], "[]"
    inner = ",\n".join(f"    {indent}{line}" for line in lines)
    return f"{brackets[0]}\n{inner}\n  {indent}{brackets[1]}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def line_of(content: bytes, message: str) -> int:
    """The line of a validation error: its `$.section[n]` is the n-th line of that section."""
    place = re.search(r"`\$\.(\w+)(?:\[(\d+)\])?", message)
    if place is None:
        return 1
    start = line_with(content, f'"{place[1]}"')
    return start + int(place[2]) + 1 if place[2] else start


def line_with(content: bytes, text: str) -> int:
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        if text and text in line:
            return number
    return 1
