"""build-failed: the model could not be built."""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    if facts.failure is not None:
        yield Told(
            f"The model could not be built, so it was not checked: {facts.failure}",
            facts.failed_at,
            effects=tuple(line.strip() for line in facts.detail.splitlines() if re.search(r"\w", line))[-12:],
        )


RULE = Rule(
    "build-failed",
    meaning="The model could not be built, so it could not be checked.",
    why="What was not checked is not green.",
    example=Example(before="def build(): return Ranker()", after="def build(): return Rankr()"),
    fix="Make the builder run in a fresh checkout of the commit.",
    about=about,
)
