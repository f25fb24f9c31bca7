"""nondeterministic-build: two builds of the same code differ."""

from __future__ import annotations

from restore_guard.rules.shared.rule import Example, Rule

RULE = Rule(
    "nondeterministic-build",
    meaning="Two builds of the same code have different signatures.",
    why="No verdict on such a model can be repeated.",
    example=Example(before="for name in sorted(names): ...", after="for name in set(names): ..."),
    fix="Make the order of creation fixed.",
    level="warning",
)
