"""Restore paths: one module each, all with the same one function `restore(saved, model) -> Outcome`.

A new restore path is a new module and a line in `RESTORE_PATHS`.
"""

from restore_guard.restore_paths import h5, h5_by_name, keras_weights, tf_checkpoint
from restore_guard.restore_paths.outcome import Failure, Outcome
from restore_guard.signature import Signature

RESTORE_PATHS = {
    "tf-checkpoint": tf_checkpoint,
    "keras-weights": keras_weights,
    "h5": h5,
    "h5-by-name": h5_by_name,
}

__all__ = ["RESTORE_PATHS", "Failure", "Outcome", "default_paths", "restore"]


def restore(path: str, saved: Signature, model: Signature) -> Outcome:
    """What the plain load call of a restore path does with a checkpoint of `saved` in a `model`.

    A path that cannot even restore the unchanged `saved` is `unsupported`: nobody has such a checkpoint.
    """
    module = RESTORE_PATHS[path]
    itself = module.restore(saved, saved)
    if itself.kind in ("raises", "unsupported"):
        return Outcome("unsupported", failures=itself.failures, certain=itself.certain)
    return module.restore(saved, model)


def default_paths(signature: Signature) -> tuple[str, ...]:
    """The restore paths that a model promises where its configuration names none."""
    return ("tf-checkpoint", "keras-weights") if signature.keras_tree is not None else ("tf-checkpoint",)
