"""The result of a rehearsed move to other versions: one type that its reports take. Its JSON form is `schema` 1."""

from __future__ import annotations

from typing import Literal

import msgspec

from restore_guard.result import ModelResult, Struct, Verdict, code_of, worst


class Moved(Struct, frozen=True):
    """A package that a move brings in another version; None where an environment has none."""

    package: str
    old: str | None
    new: str | None


class Rehearsal(Struct, frozen=True):
    """One move.

    Attributes:
        requirements: what was asked for.
        verdict: of all its models; "unchecked" where it could not be rehearsed.
        versions: {package: version} of TensorFlow and Keras after it.
        moved: all packages that it moves.
        models: what checkpoints saved today would do after it.
        failure: why it could not be rehearsed at all.
    """

    requirements: tuple[str, ...]
    verdict: Verdict = "unchecked"
    versions: dict[str, str] = {}
    moved: tuple[Moved, ...] = ()
    models: tuple[ModelResult, ...] = ()
    failure: str | None = None

    @property
    def name(self) -> str:
        return " ".join(self.requirements)

    @property
    def is_free(self) -> bool:
        """Whether it loses nothing: not even what the configuration only warns of."""
        found = (finding for model in self.models for finding in model.findings)
        return self.verdict == "restores" and not any(
            finding.status == "new" and (finding.restores or finding.rule == "behaviour-changed") for finding in found
        )


class Upgrade(Struct, frozen=True):
    """All moves of one call.

    Attributes:
        today: {package: version} of TensorFlow and Keras as they build now.
        furthest: the requirements of the furthest move that loses nothing; None where each loses something.
    """

    today: dict[str, str]
    moves: tuple[Rehearsal, ...]
    furthest: tuple[str, ...] | None = None

    @property
    def verdict(self) -> Verdict:
        return worst((move.verdict for move in self.moves), none="unchecked")

    @property
    def exit_code(self) -> int:
        """0 nothing promised is lost by any move, 1 a promised restore path breaks, 3 one could not be checked."""
        return code_of(self.verdict)


class Document(msgspec.Struct):
    """What `upgrade --format json` writes."""

    schema: Literal[1]
    verdict: Verdict
    today: dict[str, str]
    moves: tuple[Rehearsal, ...]
    furthest: tuple[str, ...] | None = None
