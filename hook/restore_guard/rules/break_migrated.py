"""break-migrated: a migration carries old checkpoints across a break."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    for old, new, reason, place in facts.steps:
        message = f"Old checkpoints get across by `restore-guard migrate` (epoch {old} to {new}): {reason}"
        yield Told(message, place, status="migrated")


RULE = Rule(
    "break-migrated",
    meaning="Old checkpoints do not restore as they are: a migration in the same change carries them across.",
    why="Whoever has old checkpoints is to run `restore-guard migrate` on them.",
    example=Example(before="epoch 1", after="epoch 2, and a migration from 1 to 2"),
    fix="Nothing, if the migration is right: review it like code.",
    level="warning",
    about=about,
)
