"""variable-renamed: a variable is still there, under another address."""

from __future__ import annotations

from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight

_MOVED = (None, None)
"""The subject of what kept its name and form: something before it was inserted, removed or moved."""


def applies(sight: Sight) -> Subject | None:
    if sight.same_form is None:
        return None
    old, new = sight.same_form
    if old.path != new.path:
        return words.renaming(old.path, new.path)
    return None if sight.trouble.unsaved else _MOVED


def ends(cause: Cause, comparison: Compared) -> tuple[str | None, str | None]:
    """Its names, or where it is in the checkpoint if those are the same."""
    first = cause.troubles[0]
    if cause.subject != _MOVED:
        return first.old, first.new
    outcome = comparison.outcomes[first.path]
    return outcome.saved_addresses.get(first.old or ""), outcome.model_addresses.get(first.new or "")


def _names(cause: Cause) -> tuple[str, str]:
    """The names of what changed, as patterns; "" for the model itself."""
    before, after = words.subjects(cause)
    return before or "", after or ""


def says(cause: Cause, comparison: Compared) -> str:
    if cause.subject != _MOVED:
        before, after = _names(cause)
        what = words.extent(cause, after)
        if not before or after.startswith(f"{before}/"):
            return f"{before or 'The model'} moved below {after} ({what})."
        if before.startswith(f"{after}/") or not after:
            return f"{before} moved up to {after or 'the model itself'} ({what})."
        return f"{before} was renamed to {after} ({what})."
    old, new = ends(cause, comparison)
    return f"{words.listing(cause.names)} moved within the checkpoint, from {old} to {new}."


def advice(cause: Cause) -> str | None:
    """An attribute's name is no help where positions moved, or all of the model did."""
    before, after = _names(cause)
    if cause.is_shift:
        return (
            "Put what is new behind what was there before, or give every layer a name and an attribute of its own, "
            "so that no position counts; or convert the checkpoint with `restore-guard migrate`."
        )
    if not before or after.startswith(f"{before}/"):
        return f"Keep {before or 'the model'} where it was, or convert the checkpoint with `restore-guard migrate`."
    if set(cause.paths) == {"h5-by-name"}:
        return "Give each layer the name that old checkpoints use, with name=..., or promise `h5` instead."
    return None


RULE = Rule(
    "variable-renamed",
    meaning="A variable of the model is still there, but under another address than the one old checkpoints use.",
    why="tf.train.Checkpoint looks objects up by the name of the attribute that holds them. What it does not "
    "find keeps its initial value, and nothing is said.",
    example=Example("variable-renamed/page-example-attribute"),
    fix="Keep the old name for the attribute, or keep the old name as a second attribute beside the new one "
    "(self.old = self.new).",
    explains=Explanation(applies, says, ends, advice=advice),
)
