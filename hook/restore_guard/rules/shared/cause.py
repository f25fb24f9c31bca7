"""Troubles and causes, and what of a comparison rules may look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from restore_guard.change.diffs import Diff, Place
from restore_guard.restore_paths.outcome import Outcome
from restore_guard.signature import Holder, Signature, Variable

# The old and the new name of what changed: a layer, a variable, or None on the side that lacks it.
Subject = tuple[str | None, str | None]


@dataclass(frozen=True)
class Trouble:
    """One variable that one restore path no longer restores as it did.

    Attributes:
        path: the restore path.
        old: the saved variable, None where checkpoints hold none.
        new: the variable of the model, None where the model has none.
        raises: True where the load call raises over it, False where it is silent.
        unsaved: True where the path does not even write the variable any more.
        revived: False where the saved configuration could not be made into a model.
        got: the saved variable whose value `new` gets instead of `old`'s.
    """

    path: str
    old: str | None
    new: str | None
    raises: bool = False
    unsaved: bool = False
    revived: bool = True
    got: str | None = None

    @property
    def key(self) -> tuple[str, str, bool]:
        """What stays the same when the same trouble is seen in another build of the model."""
        return self.path, self.old if self.old is not None else f"+{self.new}", self.raises

    @property
    def name(self) -> str:
        return self.new or self.old or ""


@dataclass
class Cause:
    """What one change of the code did.

    Attributes:
        rule: the name of the rule that explains it.
        subject: what changed.
        place: the line of the head that did it; None where no line is known.
        primary: True where that line itself was changed.
        troubles: the variables that changed.
        consequences: the variables that stayed as they were and no longer restore because of it.
    """

    rule: str
    subject: Subject
    place: Place | None
    primary: bool
    troubles: list[Trouble] = field(default_factory=list)
    consequences: list[Trouble] = field(default_factory=list)

    @property
    def every(self) -> list[Trouble]:
        return self.troubles + self.consequences

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
    def old_holders(self) -> Mapping[str, Holder]: ...

    @property
    def new_holders(self) -> Mapping[str, Holder]: ...
