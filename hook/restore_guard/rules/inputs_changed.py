"""inputs-changed: the model takes other inputs than before."""

from __future__ import annotations

from restore_guard.rules.shared.rule import Example, Rule

RULE = Rule(
    "inputs-changed",
    meaning="The model takes other inputs than before.",
    why="Every value may restore and the callers still break.",
    example=Example(before="keras.Input((16,))", after="keras.Input((16, 1))"),
    fix="Change the callers with it.",
    level="warning",
)
