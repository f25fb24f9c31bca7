"""Restore paths: one module each, all with the same two functions.

`restore(saved, model) -> Outcome` says what loading does; `contents(signature)` what saving writes, as data to
compare. A new restore path is a new module and a line in `RESTORE_PATHS`.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType

import msgspec

from restore_guard.plain_data import Site
from restore_guard.restore_paths import (
    h5,
    h5_by_name,
    keras_archive,
    keras_weights,
    situations,
    stored_state,
    tf1_saver,
    tf_checkpoint,
    whole_h5,
)
from restore_guard.restore_paths.outcome import Failure, Outcome, Situation
from restore_guard.signature import Signature, Tensor

RESTORE_PATHS = {
    "tf-checkpoint": tf_checkpoint,
    "keras-weights": keras_weights,
    "h5": h5,
    "h5-by-name": h5_by_name,
    "keras-archive": keras_archive,
    "tf1-saver": tf1_saver,
}
_WHOLE = {"h5": whole_h5}
"""What is another one where the load call makes a model of the file's own configuration."""

WITH_STATE = ("tf-checkpoint", "tf1-saver")
"""The restore paths that keep what is no variable, as hash tables are."""

__all__ = [
    "RESTORE_PATHS",
    "WITH_STATE",
    "Failure",
    "Outcome",
    "Situation",
    "default_paths",
    "imitated",
    "in_situation",
    "is_of_weights_alone",
    "judged",
    "restore",
    "restore_unchanged",
    "same_promise",
    "site_of_state",
]


def restore(path: str, saved: Signature, model: Signature) -> Outcome:
    """What the model's load call of a restore path does with a checkpoint of `saved` in a `model`, at its worst.

    A path that cannot even restore the unchanged `saved` is `unsupported`: nobody has such a checkpoint.
    """
    return judged(path, saved, model)[0]


def judged(path: str, saved: Signature, model: Signature, *, across: bool = False) -> tuple[Outcome, Outcome]:
    """Returns (the outcome in the situation where it is worst, that of the unchanged `saved` in the same situation).

    Args:
        across: they are different models of the team's: nobody misses the state of either one's optimizer.

    It is worst where the load call raises, then where more is lost than without the change. A situation in which
    the unchanged `saved` cannot be loaded does not exist: nobody loads it that way.
    """
    before = restore_unchanged(path, saved)
    if before.kind == "unsupported" or saved is model:
        return before, before
    if path in model.unread:
        return _unread(path, model), before
    if is_of_weights_alone(path, saved, model):
        return Outcome("unsupported", failures=(Failure(_WEIGHTS_ALONE),)), before
    worst = before, before
    gravest: tuple[bool, int] | None = None
    for situation in situations.existing(path, saved, model):
        itself = before if situation == situations.TRAINED else in_situation(path, saved, saved, situation)
        if itself.kind not in ("restores", "partial"):
            continue
        outcome = in_situation(path, saved, model, situation)
        if across:
            itself, outcome = without_training(saved, saved, itself), without_training(saved, model, outcome)
        if outcome.kind == "unsupported":
            # There are such checkpoints, and this model cannot load them.
            outcome = msgspec.structs.replace(outcome, kind="raises")
        gravity = (outcome.kind == "raises", 0 if outcome.kind == "raises" else _lost(outcome) - _lost(itself))
        if gravest is None or gravity > gravest:
            worst, gravest = (outcome, itself), max(gravity, (False, 0))
    return worst


def in_situation(path: str, saved: Signature, model: Signature, situation: Situation) -> Outcome:
    """What the load call does in one situation."""
    return situations.restore(imitated(path, model).restore, saved, model, situation)


def imitated(path: str, model: Signature) -> ModuleType:
    """The module that does what a restore path does by the load call of a model."""
    whole = _WHOLE.get(path) if path in model.load.revives else None
    return whole or RESTORE_PATHS[path]


def is_of_weights_alone(path: str, saved: Signature, model: Signature) -> bool:
    """Whether the load call wants files of whole models, and what was promised is of weights alone."""
    return path in _WHOLE and path in model.load.revives and saved.whole(path) is None


_WEIGHTS_ALONE = "of what is promised so far only the weights are known, of which load_model makes no model"


def without_training(saved: Signature, model: Signature, outcome: Outcome) -> Outcome:
    """The outcome without what only optimizers hold."""
    return situations.leaving_out(outcome, situations.optimizer_state(model), situations.optimizer_state(saved))


def restore_unchanged(path: str, signature: Signature) -> Outcome:
    """What a restore path does with no change at all: `unsupported` where it raises."""
    if path in signature.unread:
        return _unread(path, signature)
    outcome = in_situation(path, signature, signature, situations.TRAINED)
    if outcome.kind == "raises":
        return Outcome("unsupported", failures=outcome.failures, certain=outcome.certain)
    return outcome


def _unread(path: str, signature: Signature) -> Outcome:
    return Outcome("unsupported", failures=(Failure(signature.unread[path]),), certain=False)


def _lost(outcome: Outcome) -> int:
    return len(outcome.initial) + len(outcome.unused)


def same_promise(one: Signature, other: Signature, paths: Iterable[str]) -> bool:
    """True where both have the same variables, and each of the paths would write the same checkpoint.

    Layers without weights, names of classes that hold none and lines of source may differ. Earlier stages are compared
    where both tell of them.
    """
    stages = ["trained"]
    if one.stages is not None and other.stages is not None:
        stages += {stage.name for stage in (*one.stages, *other.stages)}
    tensors = _same_tensors(one.inputs, other.inputs) and _same_tensors(one.outputs, other.outputs)
    return (
        tensors
        and all(one.load.on(path) == other.load.on(path) for path in paths)
        and _visible(one) == _visible(other)
        and all(stored_state.alike(_states(one, path), _states(other, path)) for path in paths)
        and all(
            imitated(path, one).contents(one.at(stage)) == imitated(path, other).contents(other.at(stage))
            for stage in stages
            for path in paths
        )
    )


def _states(signature: Signature, path: str) -> Mapping[str, bool | str]:
    """{name: state} of what a path saves besides variables."""
    if path == "tf1-saver":
        return tf1_saver.states(signature)
    nodes = signature.object_graph.nodes if path == "tf-checkpoint" else ()
    return {name: nodes[number].state for number, name in tf_checkpoint.states(signature.object_graph).items() if nodes}


def site_of_state(signature: Signature, name: str) -> Site | None:
    """Where an object is made that a checkpoint keeps under a name and that is no variable, as far as it is known."""
    graph = signature.object_graph
    sites = {state.name: state.site for state in signature.saver_states}
    sites |= {at: graph.nodes[number].site for number, at in tf_checkpoint.states(graph).items()}
    return sites.get(name)


def _visible(signature: Signature) -> set[tuple[object, ...]]:
    return {(v.path, v.shape, v.dtype, v.trainable, v.owner) for v in signature.variables if not v.seed}


def _same_tensors(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    """Whether inputs or outputs are alike; what is not known tells nothing."""
    forms = [[(tensor.shape, tensor.dtype) for tensor in tensors] for tensors in (one, other)]
    return not all(forms) or forms[0] == forms[1]


def default_paths(signature: Signature) -> tuple[str, ...]:
    """The restore paths that a model promises where its configuration names none."""
    if signature.saver_file is not None:
        return ("tf1-saver",)
    if signature.keras_tree is not None or "keras-weights" in signature.unread:
        return ("tf-checkpoint", "keras-weights")
    return ("tf-checkpoint",)
