"""Whether a checkpoint file is of a model that is known by its signature, and which value is which variable. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from restore_guard.judging.translation import root_edge
from restore_guard.promise.around import below
from restore_guard.restore_paths import restore, restore_unchanged
from restore_guard.signature import Signature

T = TypeVar("T")

# By which restore paths a file may have been written, by its kind; the first one that fits tells what is what.
WRITTEN_BY = {
    "tf-checkpoint": ("tf-checkpoint", "tf1-saver"),
    "saved-model": ("tf-checkpoint",),
    "tf1-checkpoint": ("tf1-saver",),
    "weights-h5": ("keras-weights",),
    "sharded-weights": ("keras-weights",),
    "legacy-h5": ("h5", "h5-by-name"),
    "keras-archive": ("keras-weights",),
    "keras-folder": ("keras-weights",),
}


class Fit(msgspec.Struct, frozen=True):
    """A file seen as a checkpoint of a model.

    Attributes:
        path: the restore path by which its values were told apart.
        edge: the name under which a TensorFlow checkpoint holds the model; None where it is the root itself.
        held: {variable of the model: what the file calls its value}.
        missing: variables of the model that the file should hold and does not.
        beside: values of the file that are no variables of the model: a counter of steps, an optimizer of its own.
        error: why the file cannot be read as one of this model at all.
        certain: False where a layer reads its variables by code of its own.
        members: the names under which a root that is several objects holds them, as `tf.train.Checkpoint(a=, b=)` does.
        parts: {variable of the model that is a part of the file's value: which one, as TensorFlow writes slices}.
    """

    path: str
    edge: str | None = None
    held: Mapping[str, str] = msgspec.field(default_factory=dict)
    missing: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    error: str | None = None
    certain: bool = True
    parts: Mapping[str, str] = msgspec.field(default_factory=dict)
    members: frozenset[str] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether the file is of this model: an optimizer may be in one of them and not in the other."""
        lost = [path for path in self.missing if not of_optimizer(path)]
        strange = [path for path in self.beside if not of_optimizer(path) and not self.is_elsewhere(path)]
        return bool(self.held) and self.certain and self.error is None and not lost and not strange

    @property
    def is_exact(self) -> bool:
        """Whether the file is of this model and of its optimizer, with nothing more and nothing less."""
        return self.is_complete and not self.missing and all(map(self.is_elsewhere, self.beside))

    def is_elsewhere(self, name: str) -> bool:
        """Whether a value of the file is outside of what it holds as the model."""
        if self.edge is None:
            return bool(self.members) and name.partition("/")[0] not in self.members
        return not name.startswith(f"{self.edge}/")

    @property
    def likeness(self) -> float:
        """The share of what either side has that both have."""
        return len(self.held) / max(1, len(self.held) + len(self.missing) + len(self.beside))


def fits(file: Signature, kind: str, model: Signature) -> Fit:
    """How a file fits a model, by the restore path of its format that explains most of it."""
    found = [_fit(file, path, model) for path in WRITTEN_BY[kind]]
    return max(found, key=lambda fit: (fit.is_complete, fit.likeness))


def _fit(file: Signature, path: str, model: Signature) -> Fit:
    edge = root_edge(file, model) if path == "tf-checkpoint" else None
    # What is what the layers tell, whatever makes the model.
    model = msgspec.structs.replace(model, load=msgspec.structs.replace(model.load, whole_model=False))
    outcome = restore(path, file, below(model, edge))
    if outcome.kind in ("raises", "unsupported"):
        return Fit(path, edge, error=outcome.error, missing=_written(path, model), beside=_names(file))
    never = set(restore_unchanged(path, model).initial)
    counted = {variable.path for variable in model.variables if not variable.seed}
    return Fit(
        path,
        edge,
        held=dict(outcome.assigned),
        missing=tuple(name for name in outcome.initial if name not in never and name in counted),
        beside=outcome.unused,
        certain=outcome.certain,
        parts=_parts(model) if path == "tf1-saver" else {},
        members=_members(model) if path == "tf-checkpoint" and edge is None else frozenset(),
    )


def _members(model: Signature) -> frozenset[str]:
    root = model.object_graph.nodes[0] if model.object_graph.nodes else None
    return (
        frozenset(name for name, _ in root.children) if root is not None and root.type == "Checkpoint" else frozenset()
    )


def _parts(model: Signature) -> dict[str, str]:
    """{partitioned variable: the part that it is of a whole}, as `SaveSliceInfo.spec` says it (ops/variables.py)."""
    found = {}
    for entry in model.saver_entries:
        if entry.offset and entry.shape is not None:
            variable = model.variables[entry.variable]
            slices = (f"{start},{size}" for start, size in zip(entry.offset, variable.shape or (), strict=True))
            found[variable.path] = f"{' '.join(map(str, entry.shape))} {':'.join(slices)}"
    return found


def _written(path: str, model: Signature) -> tuple[str, ...]:
    return tuple(restore_unchanged(path, model).assigned)


def _names(file: Signature) -> tuple[str, ...]:
    return tuple(variable.path for variable in file.variables)


def of_optimizer(name: str) -> bool:
    """Whether a path leads through an optimizer, which not every checkpoint is saved with."""
    return any("optimizer" in part.lower() for part in name.split("/"))


def words(file: Signature) -> dict[str, str]:
    """{name as a person would write it: what the file calls it}: Keras 3 keeps `kernel` as `_kernel`."""
    found: dict[str, str] = {}
    for variable in file.variables:
        plain = "/".join(part.lstrip("_") or part for part in variable.path.split("/"))
        found[plain if plain not in found else variable.path] = variable.path
    return found


def in_words(file: Signature) -> Signature:
    """The file with its variables under those names."""
    names = {raw: name for name, raw in words(file).items()}
    renamed = (msgspec.structs.replace(variable, path=names[variable.path]) for variable in file.variables)
    return msgspec.structs.replace(file, variables=tuple(renamed))


def fitting(tried: Sequence[tuple[T, Fit]]) -> list[tuple[T, Fit]]:
    """Those that a file is of.

    Of two that differ by their optimizers alone, the one whose optimizer it holds; of two that hold several objects,
    the one that has more of the file's.
    """
    complete = [(one, fit) for one, fit in tried if fit.is_complete]
    found = [(one, fit) for one, fit in complete if fit.is_exact] or complete
    most = max((len(fit.held) for _, fit in found), default=0)
    return [(one, fit) for one, fit in found if len(fit.held) == most]


def nearest(found: Sequence[tuple[T, Fit]]) -> tuple[T, Fit]:
    """The best of several fits, each with what it is a fit to.

    Raises:
        ValueError: there are none.
    """
    return max(found, key=lambda pair: (pair[1].is_complete, pair[1].likeness))
