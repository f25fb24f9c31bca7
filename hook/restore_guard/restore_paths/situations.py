"""Situations: at which stage of its life a model is saved, and at which one it is restored.

A checkpoint is saved before or after the first training step. It is restored into a model before its first call,
after it with an optimizer that has no slots yet, as where a model is served, or after the first training step.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator
from typing import Literal

import msgspec

from restore_guard.restore_paths.outcome import Failure, Outcome, RestoredStage, SavedStage, Situation
from restore_guard.signature import Signature, StageName

Restore = Callable[[Signature, Signature], Outcome]

TRAINED = Situation("trained", "trained")


# Which stages matter: an optimizer is in no HDF5 file of weights, and what makes a model of its own has but one.
_SAVES: dict[str, tuple[Literal["untrained"], ...]] = {
    "tf-checkpoint": ("untrained",),
    "keras-weights": ("untrained",),
}
_LOADS: dict[str, tuple[StageName, ...]] = dict.fromkeys(
    ("tf-checkpoint", "keras-weights", "h5", "h5-by-name"), ("untrained", "uncalled")
)


_TOLD = {
    ("trained", "untrained"): "a trained model's checkpoint loaded by one that is not trained, as where it is served",
    ("untrained", "untrained"): "saved and loaded before the first training step",
    ("untrained", "trained"): "saved before the first training step, loaded after it",
    ("trained", "uncalled"): "loaded before the model's first call",
    ("untrained", "uncalled"): "saved before the first training step, loaded before the model's first call",
}


JUDGED = (
    "It is judged in the situations that exist: saved before or after the first training step; restored before the "
    "model's first call, after it with an optimizer that has no slots yet (as where a model is served), or after the "
    "first training step. The worst one counts, and the report names it."
)


def phrase(saved: str, restored: str) -> str:
    """A situation in words; "" for the usual one."""
    return _TOLD.get((saved, restored), "")


def existing(path: str, saved: Signature, model: Signature) -> Iterator[Situation]:
    """The situations that a checkpoint of `saved` and a model may be in on a restore path, the usual one first.

    Of a signature whose stages are not known only what it describes is judged.
    """
    yield TRAINED
    if saved.stages is None or model.stages is None or path in model.load.revives:
        return
    saves: tuple[SavedStage, ...] = ("trained", *(stage for stage in _SAVES.get(path, ()) if saved.stage(stage)))
    loads: tuple[RestoredStage, ...] = ("trained", *(stage for stage in _LOADS.get(path, ()) if model.stage(stage)))
    yield from (Situation(save, load) for save in saves for load in loads if (save, load) != TRAINED)


def restore(call: Restore, saved: Signature, model: Signature, situation: Situation) -> Outcome:
    """What a load call does in a situation, without what is no loss there.

    Args:
        call: that of a restore path.
    """
    outcome = msgspec.structs.replace(load(call, saved, model, situation), situation=situation)
    olds, news = no_loss(saved, model, situation)
    return leaving_out(outcome, news, olds)


def no_loss(saved: Signature, model: Signature, situation: Situation | None) -> tuple[Collection[str], Collection[str]]:
    """The saved variables and those of the model whose values are missed by nobody.

    An optimizer's state is none of the model where it was not trained yet, or where nothing is trained.
    """
    if situation in (None, TRAINED):
        return (), ()
    return _of_training(saved), _of_training(model)


def load(call: Restore, saved: Signature, model: Signature, situation: Situation) -> Outcome:
    """All that a load call does in a situation."""
    before = saved.at(situation.saved)
    after = before if saved is model and situation.saved == situation.restored else model.at(situation.restored)
    outcome = call(before, after)
    if outcome.kind == "raises" and after.keras_tree is not None and not after.keras_tree.nodes[0].built:
        # It raises over all variables, whatever they are.
        return Outcome("raises", failures=(Failure(outcome.error or ""),), certain=outcome.certain)
    # Before the first call counts what is there after it.
    absent = _absent(model) if situation.restored != "trained" else ()
    return leaving_out(outcome, absent, ())


def leaving_out(outcome: Outcome, news: Collection[str], olds: Collection[str]) -> Outcome:
    """The outcome without some variables of the model among the initial ones, of the checkpoint among the unused."""
    initial = tuple(name for name in outcome.initial if name not in news)
    unused = tuple(name for name in outcome.unused if name not in olds)
    kind = "restores" if outcome.kind == "partial" and not initial and not unused else outcome.kind
    return msgspec.structs.replace(outcome, kind=kind, initial=initial, unused=unused)


def _absent(signature: Signature) -> set[str]:
    """The variables that the first training step makes."""
    stage = signature.stage("untrained")
    return {signature.variables[position].path for position in stage.absent} if stage is not None else set()


def _of_training(signature: Signature) -> set[str]:
    return _absent(signature) | optimizer_state(signature)


def optimizer_state(signature: Signature) -> set[str]:
    """The variables that an optimizer holds, those among them that Keras leaves out of a weights file as well."""
    if signature.keras_tree is None:
        return set()
    folders = {"optimizer"}  # where `compile` puts it; one of before Keras 2.11 is no saveable of the walk
    known: set[str] = set()
    for node in signature.keras_tree.nodes:
        if node.role == "optimizer" and node.variables:
            paths = [signature.variables[position].path for position in node.variables]
            known.update(paths)
            folders.add(posixpath.commonpath([posixpath.dirname(path) or path for path in paths]))
    below = tuple(f"{folder}/" for folder in folders if folder)
    state = {item.path for item in signature.variables if not item.trainable and item.path.startswith(below)}
    return known | state
