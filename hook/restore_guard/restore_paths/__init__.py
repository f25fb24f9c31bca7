"""Restore paths: one module each, all with the same two functions.

`restore(saved, model) -> Outcome` says what loading does; `contents(signature)` what saving writes, as data to
compare. A new restore path is a new module and a line in `RESTORE_PATHS`.
"""

import dataclasses
from collections.abc import Iterable

from restore_guard.restore_paths import h5, h5_by_name, keras_archive, keras_weights, tf1_saver, tf_checkpoint
from restore_guard.restore_paths.outcome import Failure, Outcome
from restore_guard.signature import Signature

RESTORE_PATHS = {
    "tf-checkpoint": tf_checkpoint,
    "keras-weights": keras_weights,
    "h5": h5,
    "h5-by-name": h5_by_name,
    "keras-archive": keras_archive,
    "tf1-saver": tf1_saver,
}

__all__ = ["RESTORE_PATHS", "Failure", "Outcome", "default_paths", "restore", "restore_unchanged", "same_promise"]


def restore(path: str, saved: Signature, model: Signature, unchanged: Outcome | None = None) -> Outcome:
    """What the plain load call of a restore path does with a checkpoint of `saved` in a `model`.

    A path that cannot even restore the unchanged `saved` is `unsupported`: nobody has such a checkpoint.

    Args:
        unchanged: the outcome of `saved` in itself, where the caller has it already.
    """
    itself = unchanged or restore_unchanged(path, saved)
    if itself.kind == "unsupported" or saved is model:
        return itself
    if path in model.unread:
        return _unread(path, model)
    outcome = RESTORE_PATHS[path].restore(saved, model)
    # There are such checkpoints, and this model cannot load them.
    return dataclasses.replace(outcome, kind="raises") if outcome.kind == "unsupported" else outcome


def restore_unchanged(path: str, signature: Signature) -> Outcome:
    """What a restore path does with no change at all: `unsupported` where it raises."""
    if path in signature.unread:
        return _unread(path, signature)
    outcome = RESTORE_PATHS[path].restore(signature, signature)
    if outcome.kind == "raises":
        return Outcome("unsupported", failures=outcome.failures, certain=outcome.certain)
    return outcome


def _unread(path: str, signature: Signature) -> Outcome:
    return Outcome("unsupported", failures=(Failure(signature.unread[path]),), certain=False)


def same_promise(one: Signature, other: Signature, paths: Iterable[str]) -> bool:
    """True where both have the same variables, and each of the paths would write the same checkpoint.

    Layers without weights, names of classes that hold none and lines of source may differ.
    """
    return _visible(one) == _visible(other) and all(
        RESTORE_PATHS[path].contents(one) == RESTORE_PATHS[path].contents(other) for path in paths
    )


def _visible(signature: Signature) -> tuple:
    variables = {(v.path, v.shape, v.dtype, v.trainable, v.owner) for v in signature.variables if not v.seed}
    tensors = [[(tensor.shape, tensor.dtype) for tensor in side] for side in (signature.inputs, signature.outputs)]
    return variables, tensors


def default_paths(signature: Signature) -> tuple[str, ...]:
    """The restore paths that a model promises where its configuration names none."""
    if signature.saver_file is not None:
        return ("tf1-saver",)
    if signature.keras_tree is not None or "keras-weights" in signature.unread:
        return ("tf-checkpoint", "keras-weights")
    return ("tf-checkpoint",)
