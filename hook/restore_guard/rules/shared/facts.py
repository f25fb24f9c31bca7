"""What is known of a model as a whole, for the rules that are not about single variables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from restore_guard.build import Witness
from restore_guard.change.diffs import Place, place
from restore_guard.change.pins_moved import Move
from restore_guard.config import Config
from restore_guard.rules.shared.cause import Compared
from restore_guard.signature import Input, Signature


class Epoch(NamedTuple):
    """A break that a manifest accepts: from this epoch on, and by which restore paths."""

    number: int
    reason: str
    restores: tuple[str, ...]


class Step(NamedTuple):
    """A migration that carries old checkpoints from one epoch to the next, and where it stands."""

    old: int
    new: int
    reason: str
    place: Place


class Fault(NamedTuple):
    """What is wrong with a migration, and where."""

    message: str
    place: Place


class Removed(NamedTuple):
    """A model that is no longer configured; `left` where its manifest is still there."""

    config_file: str
    left: bool


class Unreadable(NamedTuple):
    """Why a manifest cannot be read, and at which line."""

    message: str
    line: int


class Draw(NamedTuple):
    """Two builds of the same code that differ.

    Attributes:
        what: the variable that differs, and how.
        old, new: it in either build.
        decides: the restore paths on which a checkpoint of the one build does not restore into the other.
        place: a line that leaves to chance what is built.
    """

    what: str
    old: str | None
    new: str | None
    decides: tuple[str, ...]
    place: Place | None


class Rollback(NamedTuple):
    """Older code that does not load what the head saves.

    Attributes:
        label: what a person calls that code.
        effects: {restore path: what its load call does}.
        variables: all that it is about.
        known: whether it is so of what the base saves as well.
    """

    label: str
    effects: Mapping[str, str]
    raises: bool
    variables: tuple[str, ...]
    known: bool


class Facts(msgspec.Struct, frozen=True):
    """What is known of a model, or of a checkpoint; a rule says nothing of what is not known here.

    Attributes:
        name: the model.
        file: where a finding without a line stands: its manifest, or the checkpoint.
        failure, detail, failed_at: why the head could not be built, and where.
        head, base: the builds of either side.
        promised: what the base's manifest says that the model is called with, or its build where that says nothing.
        moves: packages that the change asks for in another version.
        apart, why_shared: whether each side was built in the environment of its own commit, and why not.
        comparison: a comparison of the two sides, for its lines.
        witness: what a real restore showed; of the unchanged code where there is no comparison.
        broken: something was found already that is graver.
        explained: the restore paths on which something was found already that changes the outputs as well.
        draw: how two builds of the head differ.
        unreadable, missing, stale: what is wrong with the head's manifest; `known` where it was so before.
        accepted: the breaks that the head's manifest accepts and the base's does not.
        steps: the migrations that carry old checkpoints across those breaks.
        faults: what is wrong with the head's migrations.
        rollbacks: older code that does not load what the head saves.
        removed: set where the head no longer configures the model.
        damage: what is damaged in a checkpoint.
        not_finite: {tensor of a checkpoint: how many NaN it holds, how many infinite values}.
    """

    name: str
    file: str
    config: Config = msgspec.field(default_factory=Config)
    failure: str | None = None
    detail: str = ""
    failed_at: Place | None = None
    head: Signature | None = None
    base: Signature | None = None
    promised: Sequence[Input] = ()
    moves: Sequence[Move] = ()
    apart: bool = False
    why_shared: str | None = None
    comparison: Compared | None = None
    witness: Witness | None = None
    broken: bool = False
    explained: Collection[str] = ()
    draw: Draw | None = None
    unreadable: Unreadable | None = None
    missing: bool = False
    stale: str | None = None
    known: bool = False
    accepted: Sequence[Epoch] = ()
    steps: Sequence[Step] = ()
    faults: Sequence[Fault] = ()
    rollbacks: Sequence[Rollback] = ()
    removed: Removed | None = None
    damage: Sequence[str] = ()
    not_finite: Mapping[str, tuple[int, int]] = msgspec.field(default_factory=dict)

    def nearest_change(self) -> Place | None:
        """The changed line nearest to a part of the model, or the only one: a constant in a file of its own."""
        if self.comparison is None:
            return None
        model = self.comparison.model
        sites = [*map(place, model.holders), *map(place, model.variables)]
        lines = (self.comparison.diff.nearest_edit(at) for at in sites if at is not None)
        return next((at for at in lines if at is not None), None) or self.comparison.diff.only_edit()
