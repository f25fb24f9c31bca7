"""The data: what decides how a model restores, with no weights in it.

The probe writes it, the manifest keeps it, `restore_paths` reads it. Positions are into `Signature.variables`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from restore_guard.keras_tree import KerasTree
from restore_guard.load_call import WHOLE, LoadCall
from restore_guard.plain_data import Site, Size, Struct
from restore_guard.saver_file import SaverEntry, SaverFile, SaverState

StageName = Literal["uncalled", "untrained"]


class Variable(Struct, frozen=True):
    """A variable; `shape` has None for an unknown dimension and is None for an unknown rank.

    Its site is that of its owner where the owner's class is not the user's; `built` is then its own.
    """

    path: str
    shape: tuple[Size | None, ...] | None
    dtype: str
    trainable: bool
    owner: str | None = None
    owner_name: str | None = None
    seed: bool = False
    site: Site | None = None
    built: Site | None = None


class Holder(Struct, frozen=True):
    """A layer, module or optimizer that a variable's path leads through; `calls` counts its symbolic calls."""

    path: str
    type: str
    calls: int = 0
    site: Site | None = None
    trained: tuple[str, ...] = ()  # what an optimizer of Keras 2 keeps slots for, in order; the graph of Keras 3 has it


class GraphNode(Struct, frozen=True):
    """An object of the checkpoint's graph: edges in saved order, slots as (slot name, variable's node, slot's node).

    `slots_by` tells a legacy optimizer, which makes a slot where a checkpoint has one, from a later one of Keras 2,
    which refuses it. Nothing else knows of slots. `state` tells an object that holds a value and is no variable: an
    `iterator`, `python` state or, of a hash table, the types of keys and values and, but in older manifests, the shapes
    of their saved rows; True where it is not known which. `site` is known of these objects alone.
    """

    type: str
    variable: int | None = None
    children: tuple[tuple[str, int], ...] = ()
    slots: tuple[tuple[str, int, int], ...] = ()
    slots_by: Literal["making", "refusing"] | None = None
    state: bool | str = False
    site: Site | None = None


class Arrival(NamedTuple):
    """An edge that the first call adds to a node; `runs` numbers the symbolic runs around it, the outermost first."""

    node: int
    edge: str
    runs: tuple[int, ...] = ()


class ObjectGraph(Struct, frozen=True):
    """What tf.train.Checkpoint saves, the root first; `error` where TensorFlow refuses to save it.

    Before the first call some edges are not there yet: `arrivals` in their order, and those that are `unannounced`,
    for which TensorFlow never looks again.
    """

    nodes: tuple[GraphNode, ...] = ()
    error: str | None = None
    arrivals: tuple[Arrival, ...] = ()
    unannounced: tuple[tuple[int, str], ...] = ()


class H5Layer(Struct, frozen=True):
    """A layer in the order of the legacy HDF5 format, and its weights; `by_name` where loading by name fills others."""

    name: str
    type: str
    variables: tuple[int, ...] = ()
    by_name: tuple[int, ...] | None = None


class H5File(Struct, frozen=True):
    """What the legacy HDF5 format writes, the model's own weights last; `error` where it cannot be written."""

    layers: tuple[H5Layer, ...] = ()
    error: str | None = None


class Stage(Struct, frozen=True):
    """What a model is at an earlier stage than its signature: not called yet, or with an optimizer without slots.

    Attributes:
        absent: variables that are not there yet.
        object_graph: None before the first call: then the graph of the next stage, without what arrives.
    """

    name: StageName
    absent: tuple[int, ...] = ()
    object_graph: ObjectGraph | None = None
    arrivals: tuple[Arrival, ...] = ()
    unannounced: tuple[tuple[int, str], ...] = ()
    keras_tree: KerasTree | None = None
    h5_file: H5File | None = None


class Tensor(Struct, frozen=True):
    """An input or output; the batch dimension is None."""

    name: str
    shape: tuple[Size | None, ...]
    dtype: str


class Input(Struct, frozen=True):
    """Something that a model is called with.

    Attributes:
        at: the keys of dicts and positions in lists that lead to it; empty for a single input.
        name: the one that the user chose.
        shape: with the batch, as for a `Variable`; of an `example` only the number of dimensions counts.
        dtype: None where it is not known.
    """

    at: tuple[str | int, ...] = ()
    name: str | None = None
    shape: tuple[Size | None, ...] | None = None
    dtype: str | None = None
    example: bool = False
    site: Site | None = None


class Revival(Struct, frozen=True):
    """What some code makes of a configuration: the signature of a model, or the error and its place.

    Attributes:
        configured: variables whose values are in the configuration, as a learning rate is.
    """

    signature: Signature | None = None
    error: str | None = None
    site: Site | None = None
    configured: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.signature is not None and not (self.signature.keras_tree or "keras-weights" in self.signature.unread):
            raise ValueError("what a configuration makes is a Keras model")


class Archive(Struct, frozen=True):
    """What a file of a whole model holds besides the weights.

    Attributes:
        package: the Keras that loads it, `keras` or `tf_keras`.
        config: the serialized model, as JSON; None where it cannot be serialized, for which `error` is the reason.
        revival: what the code of this signature makes of `config`; a file has no code.
        optimizer: the optimizer's variables in the order in which an `.h5` has them, which a `.keras` has in groups.
    """

    package: str = "keras"
    config: str | None = None
    error: str | None = None
    revival: Revival | None = None
    optimizer: tuple[int, ...] = ()

    def located(self, site: Callable[[Site], Site | None]) -> Archive:
        """The same with other sites, as for `Signature.with_sites`."""
        if self.revival is None:
            return self
        made, at = self.revival.signature, self.revival.site
        moved = msgspec.structs.replace(self.revival, signature=made and made._located(site), site=at and site(at))
        return msgspec.structs.replace(self, revival=moved)


class Reads(msgspec.Struct, frozen=True):
    """What a build depends on, the same on every machine; a part of its `Signature`, where it is explained."""

    sources: tuple[str, ...] = ()
    looked_for: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()


class Signature(Struct, frozen=True):
    """All that decides what restoring a checkpoint of a model, or into a model, does.

    Attributes:
        framework: {package: version}, recorded and never compared.
        aliases: (other path, path) of what the user's attributes reach a second time.
        takes: what it is called with; empty where that is not known.
        archive, whole_h5, saver_file: only where the model promises the restore path that needs it.
        sources: files and links of the repository that the build read.
        looked_for: paths of which it wanted to know whether they are there, or what they are.
        folders: those whose names it listed.
        opaque: what it did that cannot be followed.
        unread: {restore path: what the installed version lacks, so that it cannot be described}.
        unfamiliar: {restore path: whose loading code no known version has, so that what is simulated is not certain}.
        created: (class, site) of all layers, modules and optimizers that the build made, in their order; only a build
            knows them, as it alone knows sites.
        load: how checkpoints are loaded into it.
        eager: False where the code has switched eager execution off: values are loaded in Keras's session.
        stages: what was otherwise at earlier stages of the model, in their order; None where that is not known.
    """

    framework: dict[str, str]
    variables: tuple[Variable, ...]
    object_graph: ObjectGraph
    holders: tuple[Holder, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    keras_tree: KerasTree | None = None
    h5_file: H5File | None = None
    archive: Archive | None = None
    whole_h5: Archive | None = None
    saver_file: SaverFile | None = None
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    takes: tuple[Input, ...] = ()
    sources: tuple[str, ...] = ()
    looked_for: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    unread: dict[str, str] = {}
    unfamiliar: dict[str, str] = {}
    created: tuple[tuple[str, Site], ...] = ()
    stages: tuple[Stage, ...] | None = None
    load: LoadCall = LoadCall()
    eager: bool = True

    def __post_init__(self) -> None:
        count, nodes = len(self.variables), len(self.object_graph.nodes)
        names = {variable.path for variable in self.variables}
        if len(names) != count:
            raise ValueError("two variables have the same path")
        if not nodes and not self.object_graph.error:
            raise ValueError("an object graph has at least its root")
        for whole in filter(None, (self.archive, self.whole_h5)):
            if whole.revival and whole.revival.signature and self.keras_tree is None:
                raise ValueError("only a Keras model is made of a configuration")
            _check(count, "variable", list(whole.optimizer))
        if self.h5_file and not self.h5_file.layers and self.h5_file.error is None:
            raise ValueError("an HDF5 file has at least the model's own weights")
        graph, saver = self.object_graph.nodes, self.saver_entries
        tree = self.keras_tree.nodes if self.keras_tree else ()
        layers = self.h5_layers
        _check(nodes, "node", [child for node in graph for _, child in node.children])
        _check(nodes, "slot", [number for node in graph for _, *both in node.slots for number in both])
        _check(count, "variable", [node.variable for node in graph if node.variable is not None])
        _check(count, "variable", [position for node in tree for position in node.variables])
        _check(count, "variable", [position for layer in layers for position in layer.variables])
        _check(count, "variable", [position for layer in layers for position in layer.by_name or ()])
        _check(count, "variable", [entry.variable for entry in saver])
        for entry in saver:
            entry.check_part(self.variables[entry.variable].shape)
        if unknown := {path for holder in self.holders for path in holder.trained} - names:
            raise ValueError(f"an optimizer trains {min(unknown)}, which does not exist")
        self._check_arrivals(self.object_graph)
        stages = self.stages or ()
        for number, stage in enumerate(stages):
            if stage.name in {other.name for other in stages[:number]}:
                raise ValueError("a stage is described twice")
            self.at(stage.name)
            _check(count, "variable", list(stage.absent))

    def _check_arrivals(self, graph: ObjectGraph) -> None:
        edges = [(arrival.node, arrival.edge) for arrival in graph.arrivals] + list(graph.unannounced)
        _check(len(graph.nodes), "node", [node for node, _ in edges])

    def whole(self, path: str) -> Archive | None:
        """What the file of a restore path whose load call makes a model of its own holds besides the weights."""
        found: Archive | None = getattr(self, WHOLE[path])
        return found

    def with_whole(self, path: str, archive: Archive | None) -> Signature:
        """The same with another one."""
        return msgspec.structs.replace(self, **{WHOLE[path]: archive})

    @property
    def wholes(self) -> Iterator[tuple[str, Archive]]:
        """Yields (restore path, what its file holds besides the weights) of all that are known."""
        return ((path, archive) for path in WHOLE if (archive := self.whole(path)) is not None)

    @property
    def package(self) -> str:
        """The Keras that loads its files of whole models."""
        return next((archive.package for _, archive in self.wholes), "keras")

    @property
    def h5_layers(self) -> tuple[H5Layer, ...]:
        """The layers of the legacy HDF5 format; none where the model has no such form."""
        return self.h5_file.layers if self.h5_file is not None else ()

    @property
    def saver_entries(self) -> tuple[SaverEntry, ...]:
        """What a Saver keeps; nothing where there is no Saver."""
        return self.saver_file.entries if self.saver_file is not None else ()

    @property
    def saver_states(self) -> tuple[SaverState, ...]:
        """What a Saver keeps of objects that are no variables."""
        return self.saver_file.states if self.saver_file is not None else ()

    @property
    def known_tree(self) -> KerasTree:
        """The Keras tree of what is known to be a Keras model.

        Raises:
            ValueError: it is no Keras model.
        """
        if self.keras_tree is None:
            raise ValueError("what is saved or loaded as a Keras model is one")
        return self.keras_tree

    def stage(self, name: str) -> Stage | None:
        """What is known of a stage; None where it is as the next one."""
        return next((stage for stage in self.stages or () if stage.name == name), None)

    def at(self, name: str) -> Signature:
        """The signature of the model at a stage: `uncalled`, `untrained` or `trained`."""
        if name == "trained":
            return msgspec.structs.replace(self, stages=()) if self.stages else self
        stage, later = self.stage(name), self.at("untrained" if name == "uncalled" else "trained")
        if stage is None:
            return later
        graph = stage.object_graph or msgspec.structs.replace(
            later.object_graph, arrivals=stage.arrivals, unannounced=stage.unannounced
        )
        return msgspec.structs.replace(later, object_graph=graph, keras_tree=stage.keras_tree, h5_file=stage.h5_file)

    @property
    def count(self) -> int:
        """How many variables it has, seeds of random generators aside."""
        return sum(not variable.seed for variable in self.variables)

    def without_sites(self) -> Signature:
        """The signature as the manifest keeps it: lines move with every edit and decide nothing."""
        return self._located(lambda _: None)

    def with_sites(self, sites: Mapping[Site, Site | None]) -> Signature | None:
        """The signature with other sites for those that it has; None where one of them has no other."""
        lost = False

        def other(site: Site) -> Site | None:
            nonlocal lost
            lost = lost or sites.get(site) is None
            return sites.get(site)

        found = self._located(other)
        return None if lost else found

    def _located(self, site: Callable[[Site], Site | None]) -> Signature:
        def located(items: Iterable[Any]) -> tuple[Any, ...]:
            return tuple(msgspec.structs.replace(item, site=item.site and site(item.site)) for item in items)

        def built(items: Iterable[Variable]) -> tuple[Variable, ...]:
            return tuple(msgspec.structs.replace(item, built=item.built and site(item.built)) for item in items)

        tree, graph, saver = self.keras_tree, self.object_graph, self.saver_file
        if any(node.site for node in graph.nodes):
            graph = msgspec.structs.replace(graph, nodes=located(graph.nodes))
        return msgspec.structs.replace(
            self,
            object_graph=graph,
            saver_file=saver and msgspec.structs.replace(saver, states=located(saver.states)),
            variables=built(located(self.variables)),
            created=tuple((kind, at) for kind, old in self.created if (at := site(old)) is not None),
            holders=located(self.holders),
            takes=located(self.takes),
            keras_tree=tree and msgspec.structs.replace(tree, nodes=located(tree.nodes)),
            archive=self.archive and self.archive.located(site),
            whole_h5=self.whole_h5 and self.whole_h5.located(site),
        )


def _check(count: int, what: str, numbers: list[int]) -> None:
    """Raises ValueError where one of the numbers is that of none of the `count` that there are."""
    if numbers and not 0 <= min(numbers) <= max(numbers) < count:
        wrong = next(number for number in numbers if not 0 <= number < count)
        raise ValueError(f"refers to {what} {wrong}, which does not exist")


def owner(path: str) -> str:
    """The path of what holds a variable, "" for the model itself."""
    return path.rpartition("/")[0]


def leaf(path: str) -> str:
    return path.rpartition("/")[2]
