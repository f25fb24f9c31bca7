"""sharing-changed: variables that were one are now two, or two are now one."""

from __future__ import annotations

from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight, alias_of, variable_ends


def applies(sight: Sight) -> Subject | None:
    return sight.owners if sight.kind in ("split", "merged") else None


def says(cause: Cause, comparison: Compared) -> str:
    (before, after), first = words.subjects(cause), cause.troubles[0]
    if before is None:
        was = alias_of(first.new, dict(comparison.saved.aliases))
        return f"{after} was {f'another name of {was}' if was else 'shared with another layer'} and is now on its own."
    now = alias_of(first.old, dict(comparison.model.aliases))
    return f"{before} was on its own and is now {f'another name of {now}' if now else 'one with another layer'}."


def advice(cause: Cause, comparison: Compared) -> str | None:
    """What was on its own is to stay so."""
    before, _ = words.subjects(cause)
    return None if before is None else f"Keep {before} on its own, or {words.CARRY}; or accept the break."


RULE = Rule(
    "sharing-changed",
    meaning="Variables that were one are now two, or two are now one.",
    why="A checkpoint keeps a shared variable once. After a split only one of the two finds it; after a merge one "
    "of two saved values is dropped.",
    example=Example("sharing-changed/attribute-unshared"),
    fix=f"Keep the sharing as it was, or {words.CARRY}; or accept the break.",
    explains=Explanation(applies, says, variable_ends, whole=True, advice=advice),
)
