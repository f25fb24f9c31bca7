"""What old checkpoints meet in a model: the outcome of every restore path, and each trouble in it.

A trouble is one variable on one restore path; `causes` finds what is behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import msgspec
from msgspec.structs import replace

from restore_guard.change.diffs import Diff
from restore_guard.judging.correspondence import Correspondence, correspond
from restore_guard.judging.slots import Slot, of_both
from restore_guard.restore_paths import Outcome, Situation, in_situation, judged, restore_unchanged, reviving
from restore_guard.restore_paths.outcome import Failure
from restore_guard.restore_paths.situations import TRAINED, leaving_out, optimizer_state
from restore_guard.rules.shared.cause import Trouble
from restore_guard.signature import Holder, Revival, Signature, Variable


class Comparison(msgspec.Struct, frozen=True, dict=True):
    """`saved` restored into `model` by every promised path.

    Attributes:
        outcomes: {restore path: Outcome}.
        same: which variable is which.
        unsaved_before, unsaved_now: {restore path: variables that it never writes} of either signature.
        unheld: {restore path: optimizer state that it never writes}: no checkpoint lacks it, so it is no loss.
        unwanted: {restore path: saved variables that the load call leaves in the file on purpose}.
        roles: {restore path: {variable of the model: the saved one whose value belongs in it, as its outputs show}}.
    """

    saved: Signature
    model: Signature
    diff: Diff
    outcomes: dict[str, Outcome]
    same: Correspondence
    unsaved_before: dict[str, frozenset[str]]
    unsaved_now: dict[str, frozenset[str]]
    unheld: Mapping[str, frozenset[str]] = msgspec.field(default_factory=dict)
    unwanted: Mapping[str, frozenset[str]] = msgspec.field(default_factory=dict)
    roles: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)

    @cached_property
    def olds(self) -> dict[str, Variable]:
        return {variable.path: variable for variable in self.saved.variables}

    @cached_property
    def news(self) -> dict[str, Variable]:
        return {variable.path: variable for variable in self.model.variables}

    @property
    def old_slots(self) -> dict[str, Slot]:
        return self._slots[0]

    @property
    def new_slots(self) -> dict[str, Slot]:
        return self._slots[1]

    @cached_property
    def _slots(self) -> tuple[dict[str, Slot], dict[str, Slot]]:
        return of_both(self.saved, self.model)

    @cached_property
    def old_holders(self) -> dict[str, Holder]:
        return {holder.path: holder for holder in self.saved.holders}

    @cached_property
    def new_holders(self) -> dict[str, Holder]:
        return {holder.path: holder for holder in self.model.holders}

    @cached_property
    def parts(self) -> set[str]:
        """The variables on either side that are parts of a partitioned one."""
        return {
            signature.variables[entry.variable].path
            for signature in (self.saved, self.model)
            if signature.saver_file is not None
            for entry in signature.saver_file.entries
            if entry.offset
        }

    def misplaced(self, path: str) -> dict[str, str]:
        """{variable of the model: the saved variable whose value it wrongly gets}, for one restore path."""
        return {
            trouble.new: trouble.got
            for trouble in _misplaced(self, path, self.outcomes[path])
            if trouble.new is not None and trouble.got is not None
        }


def compare(
    saved: Signature,
    model: Signature,
    paths: Sequence[str],
    diff: Diff,
    revivals: Mapping[str, Revival] | None = None,
) -> list[Comparison]:
    """Restores `saved` into `model` by each of the paths, as data.

    A file of a whole model is no checkpoint of the model that the builder makes, but of the one that its own
    configuration makes: it has a comparison of its own.

    Args:
        revivals: {configuration in `saved`: what the code of `model` makes of it}; see `reviving.revived`.
    """
    others = [path for path in paths if path not in model.load.revives]
    compared = [_compare(saved, model, others, diff)] if others else []
    for path in paths:
        if path in model.load.revives:
            compared.append(_compare(saved, reviving.revived(saved, model, revivals or {}, path), [path], diff))
    return compared


def compare_across(saved: Signature, model: Signature, paths: Sequence[str], diff: Diff) -> list[Comparison]:
    """As `compare`, into another model of the team's: nobody misses the state of either one's optimizer."""
    return [_compare(saved, model, paths, diff, across=True)]


def _compare(
    saved: Signature, model: Signature, paths: Sequence[str], diff: Diff, *, across: bool = False
) -> Comparison:
    found = {path: judged(path, saved, model, across=across) for path in paths}
    before = {path: frozenset(itself.initial) for path, (_, itself) in found.items()}
    now = {path: never_written(path, model, outcome.situation) for path, (outcome, _) in found.items()}
    unknown = {variable.path for variable in model.variables} - {variable.path for variable in saved.variables}
    state = optimizer_state(model)
    unheld = {
        path: frozenset(state if across else (name for name in now[path] & state if name in before[path] | unknown))
        for path in found
    }
    unwanted = optimizer_state(saved) if across else ()
    return Comparison(
        saved,
        model,
        diff,
        outcomes={
            path: _known(leaving_out(outcome, unheld[path], ()), path, saved, model)
            for path, (outcome, _) in found.items()
        },
        same=correspond(saved, model, diff),
        unsaved_before=before,
        unsaved_now={path: now[path] - unheld[path] for path in found},
        unheld=unheld,
        unwanted={
            path: frozenset(reviving.not_wanted(saved, model, path) if path in model.load.revives else unwanted)
            for path in found
        },
    )


def _known(outcome: Outcome, path: str, *signatures: Signature) -> Outcome:
    """The outcome, which is not certain where a framework loads by code that is not what is imitated."""
    unfamiliar = any(path in signature.unfamiliar for signature in signatures)
    return replace(outcome, certain=False) if unfamiliar else outcome


def unchanged(path: str, signature: Signature) -> Outcome:
    """What a restore path does with no change at all, without the optimizer state that it never writes."""
    return leaving_out(restore_unchanged(path, signature), optimizer_state(signature), ())


def never_written(path: str, signature: Signature, situation: Situation | None = None) -> frozenset[str]:
    """The variables that a restore path leaves out even with no change."""
    outcome = in_situation(path, signature, signature, situation or TRAINED)
    return frozenset(outcome.initial if outcome.kind == "partial" else ())


def troubles(comparison: Comparison) -> list[Trouble]:
    """Returns every trouble of every path; empty where old checkpoints restore as well as before."""
    return [trouble for path, outcome in comparison.outcomes.items() for trouble in _of_path(comparison, path, outcome)]


def _of_path(comparison: Comparison, path: str, outcome: Outcome) -> Iterator[Trouble]:
    if outcome.kind == "raises":
        told = set()
        for failure in outcome.failures:
            for trouble in _of_failure(comparison, path, failure):
                told |= {trouble.old, trouble.new}
                yield trouble
        # What has no partner, or another name, stays a trouble when the error is mended.
        for trouble in _of_silence(comparison, path, outcome):
            if trouble.old != trouble.new and not told & {trouble.old, trouble.new} - {None}:
                yield trouble
    elif outcome.kind in ("restores", "partial"):
        yield from _of_silence(comparison, path, outcome)
        yield from _misplaced(comparison, path, outcome)


def _of_silence(comparison: Comparison, path: str, outcome: Outcome) -> Iterator[Trouble]:
    same, initial = comparison.same, set(outcome.initial)
    before, now = comparison.unsaved_before[path], comparison.unsaved_now[path]
    for new in outcome.initial:
        old = same.old(new)
        # What was never written is not lost by this change.
        if old is None or old not in before:
            yield Trouble(path, old, new, unsaved=old is not None and new in now)
    for old in outcome.unused:
        partner = same.new(old)
        if partner not in initial:
            got = outcome.assigned.get(partner) if partner is not None else None
            yield Trouble(path, old, partner, got=got)


def _misplaced(comparison: Comparison, path: str, outcome: Outcome) -> Iterator[Trouble]:
    """Values that land without an error in a variable that is surely another one."""
    unused, parts, roles = set(outcome.unused), comparison.parts, comparison.roles.get(path, {})
    for new, got in outcome.assigned.items():
        rightful = roles.get(new, comparison.same.old(new))
        if rightful == got or rightful in unused or comparison.news[new].seed:
            continue
        if new in parts or got in parts:
            continue  # a tensor's name decides, however it is cut
        same, owner = comparison.same, comparison.same.new(got)
        sure = same.is_sure(new) or same.is_stranger(new) or (owner is not None and same.is_sure(owner))
        if new in roles or sure:
            yield Trouble(path, rightful, new, got=got)
    for new in outcome.reshaped:
        yield Trouble(path, outcome.assigned[new], new, got=outcome.assigned[new])


def _of_failure(comparison: Comparison, path: str, failure: Failure) -> Iterator[Trouble]:
    """The variables that explain why an object fails to load; all that it holds where none stands out."""
    same = comparison.same
    if failure.refusal is not None:
        old, new = (next(iter(names), None) for names in (failure.saved, failure.model))
        yield Trouble(path, old, new, raises=True, refusal=failure.refusal)
        return
    saved, model = set(failure.saved), set(failure.model)
    pairs: list[tuple[str | None, str | None]] = [(same.old(new), new) for new in failure.model]
    pairs += [(old, same.new(old)) for old in failure.saved if same.new(old) not in model]
    telling = [
        (old, new)
        for old, new in pairs
        if old is None
        or new is None
        or old not in saved
        or new not in model
        or _form(comparison.olds[old]) != _form(comparison.news[new])
    ]
    for old, new in telling or pairs or [(None, None)]:
        yield Trouble(path, old, new, raises=True, revived=failure.revived)


def _form(variable: Variable) -> tuple[object, ...]:
    return variable.path, variable.shape, variable.dtype, variable.owner
