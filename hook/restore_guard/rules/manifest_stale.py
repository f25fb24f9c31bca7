"""manifest-stale: the manifest does not describe the model that the code builds."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    """Not while something breaks: regenerating the manifest would be the wrong thing to do first."""
    if facts.stale is not None and not facts.broken:
        yield Told(f"{facts.stale}: run `restore-guard update {facts.name}` and commit {facts.file}.")


RULE = Rule(
    "manifest-stale",
    meaning="The manifest does not describe the model that the code builds.",
    why="The next change would be judged against a promise that nobody made.",
    example=Example(before="a model and its manifest", after="another model and the same manifest"),
    fix="Run `restore-guard update` and commit the manifest with the code.",
    about=about,
)
