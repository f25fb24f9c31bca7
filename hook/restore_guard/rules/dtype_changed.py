"""dtype-changed: a variable has another dtype than its saved value."""

from __future__ import annotations

from restore_guard.rules.shared import states, words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight, both_sides
from restore_guard.signature import owner


def applies(sight: Sight) -> Subject | None:
    if sight.kind == "state":
        return states.subject(sight, "dtype")
    if sight.kept is None:
        return None
    old, new = sight.kept
    return (owner(old.path), owner(new.path)) if old.shape == new.shape and old.dtype != new.dtype else None


def ends(cause: Cause, comparison: Compared) -> tuple[str | None, str | None]:
    if states.refusals(cause):
        return states.ends(cause)
    old, new = both_sides(cause.troubles[0], comparison)
    return f"{old.path} {old.dtype}", f"{new.path} {new.dtype}"


def says(cause: Cause, comparison: Compared) -> str:
    if states.refusals(cause):
        return states.says(cause)
    pairs = dict.fromkeys(both_sides(trouble, comparison) for trouble in cause.troubles)
    return f"{words.listing(f'{new.path}: dtype {old.dtype} is now {new.dtype}' for old, new in pairs)}."


def advice(cause: Cause, comparison: Compared) -> str | None:
    """A policy helps where less precision is what was wanted."""
    if states.refusals(cause):
        return states.advice(cause)
    kinds = {new.dtype for _, new in (both_sides(trouble, comparison) for trouble in cause.troubles)}
    if kinds <= {"float16", "bfloat16"}:
        (kind, *_) = sorted(kinds)
        policy = f'dtype="mixed_{kind}" computes in {kind} and keeps float32 variables'
        return f"Keep the variable's dtype ({policy}), or {words.CARRY}; or accept the break."
    return None


RULE = Rule(
    "dtype-changed",
    meaning="A variable has another dtype than the one that old checkpoints hold for it.",
    why="tf.train.Checkpoint refuses; weights files are cast in silence and may lose precision.",
    example=Example("dtype-changed/layer-in-half-precision"),
    fix=f"Keep the variable's dtype, or {words.CARRY}; or accept the break.",
    explains=Explanation(applies, says, ends, data=True, advice=advice),
)
