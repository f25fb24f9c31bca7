"""manifest-invalid: a manifest cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.change.diffs import Place
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    if facts.unreadable is not None:
        message, line = facts.unreadable
        yield Told(f"The manifest cannot be read: {message}", Place(facts.file, line))


RULE = Rule(
    "manifest-invalid",
    meaning="A manifest cannot be read: half-merged, edited by hand, or of another version.",
    why="A promise that cannot be read cannot be kept.",
    example=Example(before="a manifest", after="<<<<<<< HEAD"),
    fix="Restore the committed file and run `restore-guard update`.",
    about=about,
)
