"""rollback-broken: code that is or was in service does not load what this change's code saves."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.rules.shared.facts import Facts, Rollback
from restore_guard.rules.shared.rule import Example, Rule, Told
from restore_guard.rules.shared.words import listing


def about(facts: Facts) -> Iterator[Told]:
    """Only asked for where the configuration wants it; its level stands there."""
    for rollback in facts.rollbacks:
        yield Told(
            _sentence(rollback),
            restores=tuple(rollback.effects),
            status="pre-existing" if rollback.known else "new",
            effects=tuple(rollback.effects.values()),
            variables=rollback.variables,
            level="error" if facts.config.rollback == "error" else "warning",
        )


def _sentence(rollback: Rollback) -> str:
    said = "cannot load its checkpoints" if rollback.raises else "loads its checkpoints incompletely"
    return f"After this is deployed and trained, {rollback.label} {said}, by {listing(rollback.effects)}."


RULE = Rule(
    "rollback-broken",
    meaning="The code before the change, or a release in service, does not load what the new code saves.",
    why="A rollback is made in a hurry, with the newest checkpoint, and is then found to be impossible.",
    example=Example(
        before='rollback = "warning"\nself.dense = Dense(3)', after='rollback = "warning"\nself.dense = Dense(5)'
    ),
    fix="Keep a checkpoint of the old code until no rollback is needed, or deploy code that loads both first.",
    level="warning",
    about=about,
)
