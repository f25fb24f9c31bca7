"""What a side's code makes of configurations in old `.keras` files: asked of the probe, as a build is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from restore_guard.builds import Answer, Job, Probe
from restore_guard.signature import Revival, Signature


@dataclass(frozen=True)
class Question:
    """A configuration for the code that builds a model.

    Attributes:
        build: the job that builds the model from the side in question.
    """

    build: Job
    package: str
    config: str


def questions(build: Job, model: Signature | None, saved: Iterable[Signature | None]) -> list[Question]:
    """What must be asked so that each of `saved` can be restored into `model` by `keras-archive`.

    Its own configuration is known already.
    """
    own = model.archive if model is not None else None
    if own is None:
        return []
    configs = [signature.archive.config for signature in saved if signature is not None and signature.archive]
    wanted = dict.fromkeys(config for config in configs if config is not None and config != own.config)
    return [Question(build, own.package, config) for config in wanted]


def ask(probe: Probe, asked: Sequence[Question]) -> dict[str, dict[str, Revival]]:
    """Returns {job id of the build: {configuration: what its code makes of it}}."""
    jobs = [
        dataclasses.replace(
            question.build,
            id=f"revive:{number}",
            task="revive",
            options={"config": question.config, "package": question.package},
        )
        for number, question in enumerate(asked)
    ]
    answers = probe.run(jobs)
    found: dict[str, dict[str, Revival]] = {}
    for question, job in zip(asked, jobs, strict=True):
        found.setdefault(question.build.id, {})[question.config] = _revival(answers[job.id])
    return found


def _revival(answer: Answer) -> Revival:
    if answer.failure is not None:
        return Revival(error=answer.failure)
    try:
        return msgspec.convert(answer.data, Revival)
    except msgspec.ValidationError as error:
        return Revival(error=f"the answer cannot be read: {error}")
