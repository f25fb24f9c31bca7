"""The manifest: a signature that the team has promised to keep restorable, as a file for review and for merging.

One variable, object or layer a line; everything refers by name, never by number, so that an insertion changes
only its own lines. No time, no host, no digest.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from restore_guard.restore_paths import same_promise
from restore_guard.signature import (
    Archive,
    GraphNode,
    H5File,
    H5Layer,
    Holder,
    KerasTree,
    ObjectGraph,
    Revival,
    SaverFile,
    Signature,
    Tensor,
    TreeNode,
    Variable,
)

SCHEMA = 1


class ManifestError(ValueError):
    """A manifest that cannot be read; the message names file, line and what to do."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.message = file, line, message


class Broken(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an accepted break does on one restore path."""

    outcome: str
    initial: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()
    error: str | None = None


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the history: from this epoch on, older checkpoints no longer restore, on purpose."""

    epoch: int
    reason: str
    broken: dict[str, Broken]


class Manifest(msgspec.Struct, frozen=True):
    """A promise: checkpoints of `signature` restore by the paths in `restores`.

    Attributes:
        epoch: 1, raised by each accepted break.
        history: the accepted breaks, oldest first.
        pinned: {restore path: the checkpoint that it is pinned to}: there the signature holds what that file does,
            with the variables that restore from it, and not what a build would write.
    """

    model: str
    restores: tuple[str, ...]
    signature: Signature
    epoch: int = 1
    history: tuple[Accepted, ...] = ()
    pinned: dict[str, str] = {}


class _Sources(msgspec.Struct):
    sources: tuple[str, ...] = ()


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    """The file's form."""

    schema: int
    model: str
    epoch: int
    restores: tuple[str, ...]
    framework: dict[str, str]
    history: tuple[Accepted, ...]
    sources: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    variables: tuple[Variable, ...]
    holders: tuple[Holder, ...]
    aliases: tuple[tuple[str, str], ...]
    object_graph: dict[str, Any]
    keras_tree: dict[str, Any] | None
    h5_file: dict[str, Any] | None
    archive: dict[str, Any] | None = None
    saver_file: dict[str, Any] | None = None
    pinned: dict[str, str] = {}


def dump(manifest: Manifest) -> bytes:
    """Returns the file's content."""
    signature = manifest.signature.without_sites()
    names = [variable.path for variable in signature.variables]
    document = {
        "schema": SCHEMA,
        "model": manifest.model,
        "epoch": manifest.epoch,
        "restores": list(manifest.restores),
        **({"pinned": manifest.pinned} if manifest.pinned else {}),
        "framework": dict(sorted(signature.framework.items())),
        "history": [msgspec.to_builtins(entry) for entry in manifest.history],
        "sources": list(signature.sources),
        "inputs": [msgspec.to_builtins(tensor) for tensor in signature.inputs],
        "outputs": [msgspec.to_builtins(tensor) for tensor in signature.outputs],
        "variables": [msgspec.to_builtins(variable) for variable in signature.variables],
        "holders": [msgspec.to_builtins(holder) for holder in signature.holders],
        "aliases": [list(pair) for pair in signature.aliases],
        "object_graph": _graph_to_names(signature.object_graph, names),
        "keras_tree": _tree_to_names(signature.keras_tree, names) if signature.keras_tree else None,
        "h5_file": _h5_to_names(signature.h5_file, names) if signature.h5_file else None,
    }
    # Only where the path that needs it is promised.
    if signature.archive is not None:
        document["archive"] = _archive_to_document(signature)
    if signature.saver_file is not None:
        document["saver_file"] = _saver_to_names(signature.saver_file, names)
    return _lines(document).encode()


# How a manifest was found at one side: read, unreadable, or not there.
Found = Manifest | ManifestError | None


def parse(content: bytes, file: str) -> Manifest:
    """Reads a manifest.

    Raises:
        ManifestError: not a manifest, half-merged or edited by hand so that it contradicts itself.
    """
    for number, line in enumerate(content.splitlines(), 1):
        if re.match(rb"(<{7}|>{7}|={7})( |$)", line):
            raise ManifestError(
                file,
                number,
                "a merge conflict is not resolved: take either side, then run `restore-guard update`.",
            )
    try:
        document = msgspec.json.decode(content, type=_Document)
        return _manifest(document)
    except msgspec.ValidationError as error:
        raise ManifestError(file, _line_of(content, str(error)), f"{error}. {_ADVICE}") from error
    except msgspec.DecodeError as error:
        position = re.search(r"byte (\d+)", str(error))
        line = content[: int(position[1])].count(b"\n") + 1 if position else 1
        raise ManifestError(file, line, f"{error}. {_ADVICE}") from error
    except RecursionError as error:
        raise ManifestError(file, 1, f"It is nested too deeply. {_ADVICE}") from error
    except (KeyError, ValueError) as error:
        named = str(error.args[0]) if error.args else ""
        raise ManifestError(
            file, _line_with(content, named), f"{named!r} is referred to but does not exist. {_ADVICE}"
        ) from error


def sources(content: bytes) -> frozenset[str]:
    """The files that a manifest lists, without reading the rest of it; none where it cannot be read."""
    try:
        return frozenset(msgspec.json.decode(content, type=_Sources).sources)
    except (msgspec.DecodeError, RecursionError):
        return frozenset()


_ADVICE = "A manifest is written by `restore-guard update`; restore the committed file, then run it."


def write(path: Path, manifest: Manifest) -> bool:
    """Writes the file at once or not at all; returns whether its content changed."""
    content = dump(manifest)
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.is_file() else 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return True


def _manifest(document: _Document) -> Manifest:
    if document.schema != SCHEMA:
        raise msgspec.ValidationError(
            f"schema {document.schema} is of another version of restore-guard (this one reads {SCHEMA}) - at `$.schema`"
        )
    index = {variable.path: number for number, variable in enumerate(document.variables)}
    if len(index) != len(document.variables):
        raise msgspec.ValidationError("two variables have the same path - at `$.variables`")
    signature = Signature(
        framework=document.framework,
        variables=document.variables,
        object_graph=_graph_from_names(document.object_graph, index),
        holders=document.holders,
        aliases=document.aliases,
        keras_tree=_tree_from_names(document.keras_tree, index) if document.keras_tree is not None else None,
        h5_file=_h5_from_names(document.h5_file, index) if document.h5_file is not None else None,
        saver_file=_saver_from_names(document.saver_file, index) if document.saver_file is not None else None,
        inputs=document.inputs,
        outputs=document.outputs,
        sources=document.sources,
    )
    if document.archive is not None:
        signature = _with_archive(signature, document.archive)
    return Manifest(document.model, document.restores, signature, document.epoch, document.history, document.pinned)


# Objects are named by the first path of edges that leads to them, as a checkpoint's keys are.


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


def _graph_to_names(graph: ObjectGraph, variables: list[str]) -> dict[str, Any]:
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


def _graph_from_names(document: dict[str, Any], variables: Mapping[str, int]) -> ObjectGraph:
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


def _tree_to_names(tree: KerasTree, variables: list[str]) -> dict[str, Any]:
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


def _tree_from_names(document: dict[str, Any], variables: Mapping[str, int]) -> KerasTree:
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


def _h5_to_names(file: H5File, variables: list[str]) -> dict[str, Any]:
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


def _h5_from_names(document: dict[str, Any], variables: Mapping[str, int]) -> H5File:
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


def _archive_to_document(signature: Signature) -> dict[str, Any]:
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


def _with_archive(signature: Signature, document: dict[str, Any]) -> Signature:
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


def _saver_to_names(file: SaverFile, variables: list[str]) -> dict[str, Any]:
    if file.error:
        return {"error": file.error}
    entries = [{**msgspec.to_builtins(entry), "variable": variables[entry.variable]} for entry in file.entries]
    return {"entries": entries}


def _saver_from_names(document: dict[str, Any], variables: Mapping[str, int]) -> SaverFile:
    entries = [{**entry, "variable": variables[entry["variable"]]} for entry in document.get("entries", ())]
    return msgspec.convert({"entries": entries, "error": document.get("error")}, SaverFile)


def _lines(document: dict[str, Any]) -> str:
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


def _line_of(content: bytes, message: str) -> int:
    """The line of a validation error: its `$.section[n]` is the n-th line of that section."""
    place = re.search(r"`\$\.(\w+)(?:\[(\d+)\])?", message)
    if place is None:
        return 1
    start = _line_with(content, f'"{place[1]}"')
    return start + int(place[2]) + 1 if place[2] else start


def _line_with(content: bytes, text: str) -> int:
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        if text and text in line:
            return number
    return 1
