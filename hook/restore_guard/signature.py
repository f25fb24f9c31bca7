"""The data: what decides how a model restores, with no weights in it.

The probe writes it, the manifest keeps it, `restore_paths` reads it. Positions are into `Signature.variables`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec


class Site(NamedTuple):
    """The line of the user's source that created something; `number` counts creations of a class at a line."""

    file: str
    line: int
    number: int


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all signature data: immutable, compared by value, strict on reading."""


class Variable(Struct):
    """A variable; `shape` has None for an unknown dimension and is None for an unknown rank."""

    path: str
    shape: tuple[int | None, ...] | None
    dtype: str
    trainable: bool
    owner: str | None = None
    owner_name: str | None = None
    seed: bool = False
    site: Site | None = None


class Holder(Struct):
    """A layer, module or optimizer that a variable's path leads through; `calls` counts its symbolic calls."""

    path: str
    type: str
    calls: int = 0
    site: Site | None = None


class GraphNode(Struct):
    """An object of the checkpoint's graph: edges in saved order, slots as (slot name, variable's node, slot's node).

    `slotted` says that it is a legacy optimizer, which makes a slot where a checkpoint has one.
    """

    type: str
    variable: int | None = None
    children: tuple[tuple[str, int], ...] = ()
    slots: tuple[tuple[str, int, int], ...] = ()
    slotted: bool = False


class ObjectGraph(Struct):
    """What tf.train.Checkpoint saves, the root first; `error` where TensorFlow refuses to save it."""

    nodes: tuple[GraphNode, ...] = ()
    error: str | None = None


# A container's items: what each is addressed by, and its node, nested items, or None (nothing saved in it).
Items = tuple[tuple[str, "int | Items | None"], ...]


class TreeNode(Struct):
    """An object that Keras walks when it saves; `variables` in the order of `save_own_variables`."""

    type: str
    role: Literal["layer", "optimizer", "stateless", "custom"]
    name: str | None = None
    variables: tuple[int, ...] = ()
    built: bool = True
    # Pairs of attribute and target, recursive where msgspec's types are not: checked by `KerasTree`.
    children: tuple = ()
    site: Site | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "children", _tuples(self.children))


class KerasTree(Struct):
    """The walk of Keras's `saving_lib`, the model first.

    `generation` is 2 or 3 (how the walk is loaded), `nests` whether containers within containers are walked.
    """

    generation: Literal[2, 3]
    nests: bool
    nodes: tuple[TreeNode, ...]

    def __post_init__(self) -> None:
        for node in self.nodes:
            for child in node.children:
                self._check_child(child)

    def _check_child(self, child: object) -> None:
        if not (isinstance(child, tuple) and len(child) == 2 and isinstance(child[0], str)):
            raise ValueError("a child of a Keras tree is a pair of a name and a target")
        target = child[1]
        if isinstance(target, tuple):
            for item in target:
                self._check_child(item)
        elif target is not None and not (isinstance(target, int) and 0 <= target < len(self.nodes)):
            raise ValueError(f"a Keras tree has no node {target!r}")


class H5Layer(Struct):
    """A layer in the order of the legacy HDF5 format, and its weights; `by_name` where loading by name fills others."""

    name: str
    type: str
    variables: tuple[int, ...] = ()
    by_name: tuple[int, ...] | None = None


class H5File(Struct):
    """What the legacy HDF5 format writes, the model's own weights last; `error` where it cannot be written."""

    layers: tuple[H5Layer, ...] = ()
    error: str | None = None


class Tensor(Struct):
    """An input or output; the batch dimension is None."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Signature(Struct):
    """All that decides what restoring a checkpoint of a model, or into a model, does.

    Attributes:
        framework: {package: version}, recorded and never compared.
        aliases: (other path, path) of what the user's attributes reach a second time.
        sources: files of the repository that the build read.
    """

    framework: dict[str, str]
    variables: tuple[Variable, ...]
    object_graph: ObjectGraph
    holders: tuple[Holder, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    keras_tree: KerasTree | None = None
    h5_file: H5File | None = None
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count, nodes = len(self.variables), len(self.object_graph.nodes)
        for node in self.object_graph.nodes:
            _check(node.variable is None or 0 <= node.variable < count, "variable", node.variable)
            for _, child in node.children:
                _check(0 <= child < nodes, "node", child)
            for _, original, slot in node.slots:
                _check(0 <= original < nodes and 0 <= slot < nodes, "slot", slot)
        for listed in (self.keras_tree.nodes if self.keras_tree else (), self.h5_file.layers if self.h5_file else ()):
            for item in listed:
                for position in (*item.variables, *(getattr(item, "by_name", None) or ())):
                    _check(0 <= position < count, "variable", position)

    def without_sites(self) -> Signature:
        """The signature as the manifest keeps it: lines move with every edit and decide nothing."""
        tree = self.keras_tree
        return msgspec.structs.replace(
            self,
            variables=tuple(msgspec.structs.replace(variable, site=None) for variable in self.variables),
            holders=tuple(msgspec.structs.replace(holder, site=None) for holder in self.holders),
            keras_tree=tree
            and msgspec.structs.replace(
                tree, nodes=tuple(msgspec.structs.replace(node, site=None) for node in tree.nodes)
            ),
        )


def _tuples(value: object) -> object:
    """Decoded JSON has lists where equality needs tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _check(holds: bool, what: str, number: int | None) -> None:
    if not holds:
        raise ValueError(f"refers to {what} {number}, which does not exist")
