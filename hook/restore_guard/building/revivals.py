"""What a side's code makes of configurations in old `.keras` files: asked of the probe, as a build is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from restore_guard.build import Answer
from restore_guard.building import isolation
from restore_guard.building.workshop import BuildOrder, ModelTask, Workshop
from restore_guard.signature import Revival, Signature


@dataclass(frozen=True)
class RevivalQuestion:
    """A saved configuration, and the code that is to make a model of it; it becomes a `ModelTask`.

    Attributes:
        order: the build of the model from the side in question.
    """

    order: BuildOrder
    package: str
    config: str


def questions(order: BuildOrder, model: Signature | None, saved: Iterable[Signature | None]) -> list[RevivalQuestion]:
    """What must be asked so that each of `saved` can be restored into `model` by `keras-archive`.

    Its own configuration is known already.
    """
    own = model.archive if model is not None else None
    if own is None:
        return []
    configs = [signature.archive.config for signature in saved if signature is not None and signature.archive]
    wanted = dict.fromkeys(config for config in configs if config is not None and config != own.config)
    return [RevivalQuestion(order, own.package, config) for config in wanted]


def ask(building: Workshop, asked: Sequence[RevivalQuestion]) -> dict[str, dict[str, Revival]]:
    """Returns {id of the order: {configuration: what its code makes of it}}."""
    tasks = [
        ModelTask(f"revive:{number}", each.order, "revive", {"config": each.config, "package": each.package})
        for number, each in enumerate(asked)
    ]
    answers = building.do(tasks, "making models of saved configurations")
    found: dict[str, dict[str, Revival]] = {}
    for question, task in zip(asked, tasks, strict=True):
        found.setdefault(question.order.id, {})[question.config] = _revival(answers[task.id])
    return found


def _revival(answer: Answer) -> Revival:
    if answer.failure is not None:
        return Revival(error=answer.failure)
    try:
        return isolation.checked(answer.data, Revival)
    except ValueError as error:
        return Revival(error=f"the answer cannot be read: {error}")
