"""shape-changed: a variable has another shape than its saved value."""

from __future__ import annotations

from collections.abc import Sequence

from restore_guard.rules.shared import states, words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight, both_sides
from restore_guard.signature import owner


def applies(sight: Sight) -> Subject | None:
    """Also where the load call lets the variable take the saved shape."""
    if sight.kind == "state":
        return states.subject(sight, "shape")
    old, new = sight.old, sight.new
    if old is None or new is None:
        return None
    taken = sight.kind == "elsewhere" and sight.trouble.got == sight.trouble.old
    return (owner(old.path), owner(new.path)) if taken or (sight.kind == "kept" and old.shape != new.shape) else None


def ends(cause: Cause, comparison: Compared) -> tuple[str | None, str | None]:
    if states.refusals(cause):
        return states.ends(cause)
    old, new = both_sides(cause.troubles[0], comparison)
    return f"{old.path} {words.shape(old)}", f"{new.path} {words.shape(new)}"


def says(cause: Cause, comparison: Compared) -> str:
    if states.refusals(cause):
        return states.says(cause)
    pairs = dict.fromkeys(both_sides(trouble, comparison) for trouble in cause.troubles)
    changes = (f"{new.path}: shape {words.shape(old)} is now {words.shape(new)}" for old, new in pairs)
    return f"{words.listing(changes)}."


def advice(cause: Cause, comparison: Compared) -> str | None:
    """Only what got longer along one axis keeps its old values in another shape."""
    if states.refusals(cause):
        return states.advice(cause)
    pairs = [both_sides(trouble, comparison) for trouble in cause.troubles]
    if all(_is_longer(old.shape, new.shape) for old, new in pairs):
        return f"Keep the shape, or {words.CARRY}, which keeps the old values first; or accept the break."
    return (
        "Keep the shape, or accept the break: a migration can carry all the others across, but no value of this shape."
    )


def _is_longer(old: Sequence[int | None] | None, new: Sequence[int | None] | None) -> bool:
    if old is None or new is None or len(old) != len(new):
        return False
    differing = [(one, other) for one, other in zip(old, new, strict=True) if one != other]
    return len(differing) == 1 and all(
        one is not None and other is not None and one < other for one, other in differing
    )


RULE = Rule(
    "shape-changed",
    meaning="A variable has another shape than the one that old checkpoints hold for it.",
    why="The load call raises, often after it has overwritten other variables.",
    example=Example("shape-changed/dense-units"),
    fix=f"Keep the shape, or {words.CARRY}, where a variable only got longer along one axis; or accept the break.",
    explains=Explanation(applies, says, ends, data=True, advice=advice),
)
