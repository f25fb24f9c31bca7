"""A manifest's sections made into a signature again; whatever is wrong in them is told with its place.

The structs are the form of an entry; `manifest_text` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from restore_guard.keras_tree import KerasTree, TreeNode
from restore_guard.load_call import WHOLE
from restore_guard.plain_data import Size, Struct
from restore_guard.promise.json_text import Malformed, Place, convert
from restore_guard.promise.manifest_text import join
from restore_guard.saver_file import SaverEntry, SaverFile, SaverState
from restore_guard.signature import Archive, GraphNode, H5File, H5Layer, ObjectGraph, Revival, Signature, Variable

T = TypeVar("T")


class _Object(Struct, frozen=True):
    """An object of the graph. An edge stands alone where it leads to the object that is named after it."""

    type: str
    variable: str | UnsetType = UNSET
    children: tuple[str | tuple[str, str], ...] = ()
    slots: tuple[tuple[str, str, str], ...] | UnsetType = UNSET
    state: bool | str = False


class _Child(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An attribute or a container's item, and what it leads to: a node, further items, or nothing that is saved."""

    name: str
    target: str | None | tuple[_Child, ...]


class _TreeNode(Struct, frozen=True):
    type: str
    role: Literal["layer", "optimizer", "stateless", "custom"]
    name: str | UnsetType = UNSET
    variables: tuple[str, ...] = ()
    built: bool = True
    vocabulary: Literal["known", "empty"] | UnsetType = UNSET
    children: tuple[_Child, ...] = ()


class _Tree(Struct, frozen=True):
    generation: Literal[2, 3]
    nests: bool
    nodes: dict[str, Any]
    refuses_unbuilt: bool = False


class _Layer(Struct, frozen=True):
    type: str
    variables: tuple[str, ...]
    by_name: tuple[str, ...] | UnsetType = UNSET


class _Archive(Struct, frozen=True):
    config: dict[str, Any] | str | None
    error: str | UnsetType = UNSET
    revival: Revival | UnsetType = UNSET
    configured: tuple[str, ...] = ()
    optimizer: tuple[str, ...] = ()


class _SaverEntry(Struct, frozen=True):
    name: str
    variable: str
    shape: tuple[Size | None, ...] | None
    offset: tuple[Size, ...] = ()
    strict: bool = False


class _SaverState(Struct, frozen=True):
    name: str
    state: str


class _SaverFile(Struct, frozen=True):
    entries: tuple[_SaverEntry, ...] = ()
    states: tuple[_SaverState, ...] = ()
    by_full_name: bool = False
    error: str | UnsetType = UNSET


def read(sections: Mapping[str, Any], variables: tuple[Variable, ...], **others: Any) -> Signature:
    """The signature that the sections of a document are of.

    Args:
        sections: as `write` makes them; some may be missing.
        variables, others: what a signature holds besides.

    Raises:
        Malformed: a section is not in its form, or refers to what is not there.
    """
    index = {variable.path: number for number, variable in enumerate(variables)}
    if len(index) != len(variables):
        raise Malformed("two variables have the same path", ("variables",))
    tree, h5_file, saver = (sections.get(name) for name in ("keras_tree", "h5_file", "saver_file"))
    signature = _made(
        ("object_graph",),
        lambda graph, tree, h5_file, saver: Signature(
            variables=variables,
            object_graph=graph,
            keras_tree=tree,
            h5_file=h5_file,
            saver_file=saver,
            **others,
        ),
        graph_from_names(sections["object_graph"], index),
        tree_from_names(tree, index) if tree is not None else None,
        h5_from_names(h5_file, index) if h5_file is not None else None,
        _saver_from_names(saver, index, variables) if saver is not None else None,
    )
    archives = {section: sections[section] for section in WHOLE.values() if sections.get(section) is not None}
    found = {section: _archive(signature, document, section, index) for section, document in archives.items()}
    return msgspec.structs.replace(signature, **found)


def _made(place: Place, make: Callable[..., T], *arguments: Any, **more: Any) -> T:
    """What a kind of signature data makes of its parts; it checks them itself, and knows no place."""
    try:
        return make(*arguments, **more)
    except Malformed:
        raise
    except ValueError as error:
        raise Malformed(str(error), place) from error


def _position(name: str, index: Mapping[str, int], place: Place) -> int:
    try:
        return index[name]
    except KeyError:
        raise Malformed(f"{name!r} is referred to but does not exist", place) from None


def _positions(names: Iterable[str], index: Mapping[str, int], place: Place) -> tuple[int, ...]:
    return tuple(_position(name, index, place) for name in names)


def _is_error(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("error"), str) and len(document) == 1


def graph_from_names(document: Mapping[str, Any], variables: Mapping[str, int]) -> ObjectGraph:
    if _is_error(document):
        return ObjectGraph(error=document["error"])
    index = {name: number for number, name in enumerate(document)}
    return ObjectGraph(tuple(_graph_node(name, entry, index, variables) for name, entry in document.items()))


def _graph_node(name: str, entry: Any, index: Mapping[str, int], variables: Mapping[str, int]) -> GraphNode:
    place = ("object_graph", name)
    node = convert(entry, _Object, place)
    edges = [(edge, join(name, edge)) if isinstance(edge, str) else edge for edge in node.children]
    slots = () if node.slots is UNSET else node.slots
    return GraphNode(
        node.type,
        None if node.variable is UNSET else _position(node.variable, variables, place),
        tuple((edge, _position(target, index, place)) for edge, target in edges),
        tuple((slot, _position(of, index, place), _position(at, index, place)) for slot, of, at in slots),
        None if node.slots is UNSET else "making",
        node.state,
    )


def tree_from_names(document: Any, variables: Mapping[str, int]) -> KerasTree:
    tree = convert(document, _Tree, ("keras_tree",))
    index = {name: number for number, name in enumerate(tree.nodes)}
    nodes = tuple(_tree_node(name, entry, index, variables) for name, entry in tree.nodes.items())
    return _made(("keras_tree",), KerasTree, tree.generation, tree.nests, nodes, tree.refuses_unbuilt)


def _tree_node(name: str, entry: Any, index: Mapping[str, int], variables: Mapping[str, int]) -> TreeNode:
    place = ("keras_tree", "nodes", name)
    node = convert(entry, _TreeNode, place)

    def target(value: str | None | tuple[_Child, ...]) -> Any:
        if isinstance(value, str):
            return _position(value, index, place)
        return None if value is None else tuple((child.name, target(child.target)) for child in value)

    return _made(
        place,
        TreeNode,
        node.type,
        node.role,
        None if node.name is UNSET else node.name,
        _positions(node.variables, variables, place),
        node.built,
        None if node.vocabulary is UNSET else node.vocabulary,
        tuple((child.name, target(child.target)) for child in node.children),
    )


def h5_from_names(document: Mapping[str, Any], variables: Mapping[str, int]) -> H5File:
    if _is_error(document):
        return H5File(error=document["error"])
    if not document:
        raise Malformed("an HDF5 file has at least the model's own weights", ("h5_file",))
    return H5File(tuple(_h5_layer(name, entry, variables) for name, entry in document.items()))


def _h5_layer(name: str, entry: Any, variables: Mapping[str, int]) -> H5Layer:
    place = ("h5_file", name)
    layer = convert(entry, _Layer, place)
    by_name = None if layer.by_name is UNSET else _positions(layer.by_name, variables, place)
    return H5Layer(name, layer.type, _positions(layer.variables, variables, place), by_name)


def _archive(signature: Signature, document: Any, section: str, index: Mapping[str, int]) -> Archive:
    place = (section,)
    archive = convert(document, _Archive, place)
    config, revival = archive.config, archive.revival
    optimizer = _positions(archive.optimizer, index, (*place, "optimizer"))
    if revival is UNSET:
        made = msgspec.structs.replace(signature, whole_h5=Archive(optimizer=optimizer)) if optimizer else signature
        revival = _made(place, Revival, made)
    if revival.signature is not None and signature.keras_tree is None:
        raise Malformed("only a Keras model is made of a configuration", place)
    revival = msgspec.structs.replace(revival, configured=archive.configured)
    return Archive(
        config=json.dumps(config) if isinstance(config, dict) else config,
        error=None if archive.error is UNSET else archive.error,
        revival=revival if config is not None else None,
        optimizer=optimizer,
    )


def _saver_from_names(document: Any, index: Mapping[str, int], variables: Sequence[Variable]) -> SaverFile:
    place = ("saver_file",)
    saver = convert(document, _SaverFile, place)
    entries = []
    for number, entry in enumerate(saver.entries):
        at = (*place, "entries", number)
        position = _position(entry.variable, index, at)
        made = SaverEntry(entry.name, position, entry.shape, entry.offset, entry.strict)
        _made(at, made.check_part, variables[position].shape)
        entries.append(made)
    states = tuple(SaverState(state.name, state.state) for state in saver.states)
    error = None if saver.error is UNSET else saver.error
    return _made(place, SaverFile, tuple(entries), error, states, saver.by_full_name)
