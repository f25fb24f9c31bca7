"""migration-invalid: a migration does not say where everything goes, or does not carry a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    for message, place in facts.faults:
        yield Told(message, place)


RULE = Rule(
    "migration-invalid",
    meaning="A migration leaves a variable open, contradicts itself or the models, does not carry a checkpoint, or is "
    "edited and takes values elsewhere than before.",
    why="Old checkpoints would be lost when they are needed, or their values would land elsewhere.",
    example=Example(
        before='rename = [{ from = "a/**", to = "b/**" }]', after='rename = [{ from = "a/**", to = "c/**" }]'
    ),
    fix="Correct the migration at the line, or write it anew: `restore-guard update --migrate REASON`.",
    about=about,
)
