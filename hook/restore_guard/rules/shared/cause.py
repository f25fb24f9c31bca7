"""Troubles and causes, and what of a comparison rules may look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from restore_guard.change.diffs import Diff, Place
from restore_guard.restore_paths.outcome import Outcome, Refusal
from restore_guard.signature import Holder, Signature, Variable

# The old and the new name of what changed: a layer, a variable, or None on the side that lacks it.
Subject = tuple[str | None, str | None]


class Trouble(msgspec.Struct, frozen=True):
    """One variable that one restore path no longer restores as it did.

    Attributes:
        path: the restore path.
        old: the saved variable, None where checkpoints hold none.
        new: the variable of the model, None where the model has none.
        raises: True where the load call raises over it, False where it is silent.
        unsaved: True where the path does not even write the variable any more.
        revived: False where the saved configuration could not be made into a model.
        got: the saved variable whose value `new` gets instead of `old`'s.
        refusal: why the load call raises, where one of both is no variable but a table or the like.
    """

    path: str
    old: str | None
    new: str | None
    raises: bool = False
    unsaved: bool = False
    revived: bool = True
    got: str | None = None
    refusal: Refusal | None = None

    @property
    def key(self) -> tuple[str, str, bool]:
        """What stays the same when the same trouble is seen in another build of the model."""
        return self.path, self.old if self.old is not None else f"+{self.new}", self.raises

    @property
    def name(self) -> str:
        return self.new or self.old or ""


class Cause(msgspec.Struct):
    """What one change of the code did.

    Attributes:
        rule: the name of the rule that explains it.
        subjects: what changed; several where the code is repeated, by a loop or by instances of a class.
        place: the line of the head that did it; None where no line is known.
        is_shift: nothing but positions changed.
        troubles: the variables that changed.
        also: what else changed on that line, by other rules.
        consequences: the variables that stayed as they were and no longer restore because of it.
    """

    rule: str
    subjects: list[Subject]
    place: Place | None
    is_shift: bool = False
    troubles: list[Trouble] = msgspec.field(default_factory=list)
    also: list[Cause] = msgspec.field(default_factory=list)
    consequences: list[Trouble] = msgspec.field(default_factory=list)

    @property
    def subject(self) -> Subject:
        """The first of the subjects."""
        return self.subjects[0]

    @property
    def count(self) -> int:
        """How many things changed alike."""
        return len(self.subjects)

    @property
    def own(self) -> list[Trouble]:
        """The variables that changed on that line, in whatever way."""
        return self.troubles + [trouble for other in self.also for trouble in other.troubles]

    @property
    def every(self) -> list[Trouble]:
        return self.own + self.consequences

    @property
    def paths(self) -> set[str]:
        return {trouble.path for trouble in self.every}

    @property
    def names(self) -> list[str]:
        """The variables that changed, each once."""
        return list(dict.fromkeys(trouble.name for trouble in self.troubles))


class Same(Protocol):
    """Which variable is which."""

    def old(self, new: str) -> str | None: ...

    def new(self, old: str) -> str | None: ...

    def pairs(self) -> Iterable[tuple[str, str]]: ...


class Compared(Protocol):
    """What of a `judging.comparison.Comparison` rules look at."""

    @property
    def saved(self) -> Signature: ...

    @property
    def model(self) -> Signature: ...

    @property
    def diff(self) -> Diff: ...

    @property
    def outcomes(self) -> Mapping[str, Outcome]: ...

    @property
    def same(self) -> Same: ...

    @property
    def unsaved_before(self) -> Mapping[str, frozenset[str]]: ...

    @property
    def unsaved_now(self) -> Mapping[str, frozenset[str]]: ...

    @property
    def olds(self) -> Mapping[str, Variable]: ...

    @property
    def news(self) -> Mapping[str, Variable]: ...

    @property
    def old_slots(self) -> Mapping[str, tuple[str, str]]:
        """{slot of an optimizer: (the list that it is in, the variable that it is for)}."""

    @property
    def new_slots(self) -> Mapping[str, tuple[str, str]]: ...

    @property
    def old_holders(self) -> Mapping[str, Holder]: ...

    @property
    def new_holders(self) -> Mapping[str, Holder]: ...
