"""What a side's code makes of configurations in old files of whole models: asked of the probe, as a build is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from restore_guard.build import Answer
from restore_guard.building import isolation
from restore_guard.building.workshop import BuildOrder, ModelTask, Workshop
from restore_guard.signature import Revival, Signature


class RevivalQuestion(msgspec.Struct, frozen=True):
    """A saved configuration, and the code that is to make a model of it; it becomes a `ModelTask`.

    Attributes:
        order: the build of the model from the side in question.
        path: the restore path of the file.
    """

    order: BuildOrder
    path: str
    package: str
    config: str


def questions(order: BuildOrder, model: Signature | None, saved: Iterable[Signature | None]) -> list[RevivalQuestion]:
    """What must be asked so that each of `saved` can be restored into `model` by a load call that makes its own.

    Its own configuration is known already.
    """
    if model is None:
        return []
    held = [whole for signature in saved if signature is not None for whole in signature.wholes]
    return [
        RevivalQuestion(order, path, own.package, config)
        for path, own in model.wholes
        for config in dict.fromkeys(archive.config for of, archive in held if of == path)
        if config is not None and config != own.config
    ]


def ask(building: Workshop, asked: Sequence[RevivalQuestion]) -> dict[str, dict[str, Revival]]:
    """Returns {id of the order: {configuration: what its code makes of it}}."""
    tasks = [
        ModelTask(
            f"revive:{number}",
            each.order,
            "revive",
            {"path": each.path, "config": each.config, "package": each.package},
        )
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
