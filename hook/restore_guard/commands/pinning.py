"""Manifests that are pinned to a checkpoint file: which path holds what the file does, and when a pin ends."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from restore_guard.building.checkpoint import Checkpoint
from restore_guard.change.diffs import Diff
from restore_guard.config import RestorePath
from restore_guard.errors import UsageError
from restore_guard.judging import translation
from restore_guard.judging.comparison import Comparison, compare, troubles
from restore_guard.promise.around import below
from restore_guard.promise.manifest import Manifest
from restore_guard.promise.pins import PINNED
from restore_guard.promise.project import Project
from restore_guard.signature import Signature


class Pin(msgspec.Struct, frozen=True):
    """A checkpoint on one restore path.

    Attributes:
        name: the file, as the manifest calls it.
        saved: what it holds, in the model's words.
        edge: the name under which it holds the model; see `translation.root_edge`.
    """

    name: str
    saved: Signature
    edge: str | None = None


def kept_pins(promise: Manifest | None, own: Manifest | None) -> dict[RestorePath, Pin]:
    """The pins that are there already: those of the work tree win, those that it has lost come from the commit."""
    return {
        path: Pin(name, found.signature)
        for found in (promise, own)
        if found is not None
        for path, name in found.pinned.items()
    }


def loads(pin: Pin, path: RestorePath, model: Signature) -> list[Comparison]:
    """The checkpoint loaded into the model."""
    return compare(pin.saved, below(model, pin.edge), [path], Diff({}, compared=False))


def is_troubled(pin: Pin, path: RestorePath, model: Signature) -> bool:
    return any(troubles(load) for load in loads(pin, path, model))


def pins(
    project: Project, name: str, model: Signature, paths: Sequence[str], checkpoint: Checkpoint
) -> dict[RestorePath, Pin]:
    """The file on each restore path that it is of and that the model promises.

    Raises:
        UsageError: the model promises none of them.
    """
    mine = [path for path in checkpoint.restore_paths if path in paths and path in PINNED]
    if not mine:
        able = " or ".join(checkpoint.restore_paths) or "no path that is judged yet"
        raise UsageError(
            f"{checkpoint.name} is a {checkpoint.format}, which restores by {able}; {name} promises "
            f"{', '.join(paths)}: set restores in {project.file} to pin it."
        )
    if made := [path for path in mine if path in model.load.revives]:
        raise UsageError(
            f"{name} loads {made[0]} as a whole model, by the configuration in the file, and a manifest is pinned to "
            f"values alone: leave out --from, or `whole_model` in {project.file}."
        )
    _, signature = checkpoint.content
    edge = translation.root_edge(signature, model) if "tf-checkpoint" in mine else None
    return {
        path: Pin(checkpoint.name, translation.in_words_of(below(model, edge), signature, path), edge) for path in mine
    }
