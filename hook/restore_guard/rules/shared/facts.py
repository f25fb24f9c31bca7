"""What is known of a model as a whole, for the rules that are not about single variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from restore_guard.change.pins_moved import Move
from restore_guard.config import Config
from restore_guard.result import Behaviour
from restore_guard.rules.shared.cause import Compared
from restore_guard.signature import Signature


class Epoch(NamedTuple):
    """A break that a manifest accepts: from this epoch on, and by which restore paths."""

    number: int
    reason: str
    restores: tuple[str, ...]


class Removed(NamedTuple):
    """A model that is no longer configured; `left` where its manifest is still there."""

    config_file: str
    left: bool


class Unreadable(NamedTuple):
    """Why a manifest cannot be read, and at which line."""

    message: str
    line: int


@dataclass(frozen=True)
class Facts:
    """What is known of a model, or of a checkpoint; a rule says nothing of what is not known here.

    Attributes:
        name: the model.
        file: where a finding without a line stands: its manifest, or the checkpoint.
        failure, detail: why the head could not be built.
        head, base: the builds of either side.
        moves: packages that the change asks for in another version.
        comparison: a comparison of the two sides, for its lines.
        behaviour: whether both sides compute the same.
        broken: something was found already that is graver.
        unreadable, missing, stale: what is wrong with the head's manifest; `known` where it was so before.
        accepted: the breaks that the head's manifest accepts and the base's does not.
        removed: set where the head no longer configures the model.
        damage: what is damaged in a checkpoint.
        not_finite: {tensor of a checkpoint: how many NaN it holds, how many infinite values}.
    """

    name: str
    file: str
    config: Config = field(default_factory=Config)
    failure: str | None = None
    detail: str = ""
    head: Signature | None = None
    base: Signature | None = None
    moves: Sequence[Move] = ()
    comparison: Compared | None = None
    behaviour: Behaviour | None = None
    broken: bool = False
    unreadable: Unreadable | None = None
    missing: bool = False
    stale: str | None = None
    known: bool = False
    accepted: Sequence[Epoch] = ()
    removed: Removed | None = None
    damage: Sequence[str] = ()
    not_finite: Mapping[str, tuple[int, int]] = field(default_factory=dict)
