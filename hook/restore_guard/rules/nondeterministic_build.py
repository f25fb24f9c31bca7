"""nondeterministic-build: two builds of the same code differ."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.rules.shared import words
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    """Where a checkpoint of the one build does not restore into the other, no verdict is certain."""
    draw = facts.draw
    if draw is None:
        return
    lost = f" What {words.listing(draw.decides)} restores is a matter of chance, so it was not checked."
    kept = " Checkpoints of the one restore into the other."
    yield Told(
        f"Two builds of the same code differ: {draw.what}.{lost if draw.decides else kept}",
        draw.place,
        old=draw.old,
        new=draw.new,
        unchecked=bool(draw.decides),
    )


RULE = Rule(
    "nondeterministic-build",
    meaning="Two builds of the same code have different signatures.",
    why="No verdict on such a model can be repeated: a checkpoint that one process saves need not restore in the next.",
    example=Example(before="for name in sorted(names): ...", after="for name in set(names): ..."),
    fix="Make the order of creation fixed (sorted(names)), and give what is drawn a seed.",
    level="warning",
    about=about,
)
