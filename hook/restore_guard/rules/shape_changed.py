"""shape-changed: a variable has another shape than its saved value."""

from __future__ import annotations

from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight, both_sides
from restore_guard.signature import owner


def applies(sight: Sight) -> Subject | None:
    """Also where the load call lets the variable take the saved shape."""
    old, new = sight.old, sight.new
    if old is None or new is None:
        return None
    taken = sight.kind == "elsewhere" and sight.trouble.got == sight.trouble.old
    return (owner(old.path), owner(new.path)) if taken or (sight.kind == "kept" and old.shape != new.shape) else None


def ends(cause: Cause, comparison: Compared) -> tuple[str | None, str | None]:
    old, new = both_sides(cause.troubles[0], comparison)
    return f"{old.path} {words.shape(old)}", f"{new.path} {words.shape(new)}"


def says(cause: Cause, comparison: Compared) -> str:
    pairs = dict.fromkeys(both_sides(trouble, comparison) for trouble in cause.troubles)
    changes = (f"{new.path}: shape {words.shape(old)} is now {words.shape(new)}" for old, new in pairs)
    return f"{words.listing(changes)}."


RULE = Rule(
    "shape-changed",
    meaning="A variable has another shape than the one that old checkpoints hold for it.",
    why="The load call raises, often after it has overwritten other variables.",
    example=Example("shape-changed/dense-units"),
    fix="Keep the shape, or convert the checkpoint with `restore-guard migrate`, or accept the break.",
    explains=Explanation(applies, says, ends, data=True),
)
