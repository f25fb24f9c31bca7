"""What old checkpoints meet in a model: the outcome of every restore path, and each trouble in it.

A trouble is one variable on one restore path; `findings` makes root causes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from restore_guard.correspondence import correspond
from restore_guard.diffs import Diff
from restore_guard.restore_paths import Outcome, restore
from restore_guard.restore_paths.outcome import Failure
from restore_guard.signature import Signature, Variable


@dataclass(frozen=True)
class Trouble:
    """One variable that one restore path no longer restores.

    Attributes:
        path: the restore path.
        old: the saved variable, None where checkpoints hold none.
        new: the variable of the model, None where the model has none.
        raises: True where the load call raises over it, False where it is silent.
        unsaved: True where the path does not even write the variable any more.
        got: the saved variable whose value `new` gets instead of `old`'s.
    """

    path: str
    old: str | None
    new: str | None
    raises: bool = False
    unsaved: bool = False
    got: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same when the same trouble is seen in another build of the model."""
        return self.path, self.old if self.old is not None else f"+{self.new}"


@dataclass(frozen=True)
class Comparison:
    """`saved` restored into `model` by every promised path.

    Attributes:
        outcomes: {restore path: Outcome}.
        pairs: {variable of the model: the saved variable that it is}.
        unsaved_before, unsaved_now: {restore path: variables that it never writes} of either signature.
    """

    saved: Signature
    model: Signature
    diff: Diff
    outcomes: dict[str, Outcome]
    pairs: dict[str, str]
    unsaved_before: dict[str, frozenset[str]]
    unsaved_now: dict[str, frozenset[str]]

    def old(self, path: str) -> Variable:
        return next(variable for variable in self.saved.variables if variable.path == path)

    def new(self, path: str) -> Variable:
        return next(variable for variable in self.model.variables if variable.path == path)


def compare(saved: Signature, model: Signature, paths: Sequence[str], diff: Diff) -> Comparison:
    """Restores `saved` into `model` by each of the paths, as data."""
    return Comparison(
        saved,
        model,
        diff,
        outcomes={path: restore(path, saved, model) for path in paths},
        pairs=correspond(saved, model, diff),
        unsaved_before={path: _never_written(path, saved) for path in paths},
        unsaved_now={path: _never_written(path, model) for path in paths},
    )


def _never_written(path: str, signature: Signature) -> frozenset[str]:
    outcome = restore(path, signature, signature)
    return frozenset(outcome.initial) if outcome.kind != "unsupported" else frozenset()


def troubles(comparison: Comparison) -> list[Trouble]:
    """Returns every trouble of every path; empty where old checkpoints restore as well as before."""
    return [
        trouble for path, outcome in comparison.outcomes.items() for trouble in _of_path(comparison, path, outcome)
    ]


def _of_path(comparison: Comparison, path: str, outcome: Outcome) -> Iterator[Trouble]:
    if outcome.kind == "unsupported":
        return
    if outcome.kind == "raises":
        for failure in outcome.failures:
            yield from _of_failure(comparison, path, failure)
        return
    inverse = {old: new for new, old in comparison.pairs.items()}
    before, now = comparison.unsaved_before[path], comparison.unsaved_now[path]
    seen = set()
    for new in outcome.initial:
        old = comparison.pairs.get(new)
        if old is not None and old in before:
            # Never restored by this path, with or without the change.
            continue
        seen.add(old)
        yield Trouble(path, old, new, unsaved=old is not None and new in now, got=None)
    for old in outcome.unused:
        if old not in seen:
            new = inverse.get(old)
            yield Trouble(path, old, new, got=outcome.assigned.get(new) if new is not None else None)


def _of_failure(comparison: Comparison, path: str, failure: Failure) -> Iterator[Trouble]:
    """The variables that explain why an object fails to load; all that it holds where none stands out."""
    inverse = {old: new for new, old in comparison.pairs.items()}
    pairs = [(comparison.pairs.get(new), new) for new in failure.model]
    pairs += [(old, inverse.get(old)) for old in failure.saved if inverse.get(old) not in failure.model]
    telling = [
        (old, new)
        for old, new in pairs
        if old is None
        or new is None
        or old not in failure.saved
        or new not in failure.model
        or _form(comparison.old(old)) != _form(comparison.new(new))
    ]
    for old, new in telling or pairs or [(None, None)]:
        yield Trouble(path, old, new, raises=True)


def _form(variable: Variable) -> tuple:
    return variable.path, variable.shape, variable.dtype, variable.owner


def newly_unsaved(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yields (restore path, variable of the model) for all that a path does not write and did not lack before."""
    for path, names in comparison.unsaved_now.items():
        for variable in comparison.model.variables:
            if variable.path in names and comparison.pairs.get(variable.path) not in comparison.unsaved_before[path]:
                yield path, variable.path
