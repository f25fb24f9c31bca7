"""break-accepted: old checkpoints no longer restore, on purpose."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    for epoch, reason, restores in facts.accepted:
        yield Told(f"A break was accepted (epoch {epoch}): {reason}", restores=restores, status="accepted")


RULE = Rule(
    "break-accepted",
    meaning="Old checkpoints no longer restore, on purpose: the manifest's history gives the reason.",
    why="The reviewer is to see it.",
    example=Example(before="epoch 1", after="epoch 2, with a reason"),
    fix="Nothing, if the reason holds.",
    level="warning",
    about=about,
)
