"""dtype-changed: a variable has another dtype than its saved value."""

from __future__ import annotations

from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight
from restore_guard.signature import owner


def applies(sight: Sight) -> Subject | None:
    if sight.kind == "kept" and sight.old.shape == sight.new.shape and sight.old.dtype != sight.new.dtype:
        return owner(sight.old.path), owner(sight.new.path)
    return None


def ends(cause: Cause, comparison: Compared) -> tuple[str | None, str | None]:
    old, new = comparison.olds[cause.troubles[0].old], comparison.news[cause.troubles[0].new]
    return f"{old.path} {old.dtype}", f"{new.path} {new.dtype}"


def says(cause: Cause, comparison: Compared) -> str:
    pairs = dict.fromkeys((comparison.olds[t.old], comparison.news[t.new]) for t in cause.troubles)
    return f"{words.listing(f'{new.path}: dtype {old.dtype} is now {new.dtype}' for old, new in pairs)}."


RULE = Rule(
    "dtype-changed",
    meaning="A variable has another dtype than the one that old checkpoints hold for it.",
    why="tf.train.Checkpoint refuses; weights files are cast in silence and may lose precision.",
    example=Example("dtype-changed/layer-in-half-precision"),
    fix='Keep the variable\'s dtype (dtype="mixed_float16" computes in float16 and keeps float32 variables).',
    explains=Explanation(applies, says, ends, data=True),
)
