"""manifest-missing: a configured model has no manifest."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    if facts.missing:
        yield Told(
            f"{facts.name} has no manifest: run `restore-guard update {facts.name}` and commit {facts.file}.",
            status="pre-existing" if facts.known else "new",
        )


RULE = Rule(
    "manifest-missing",
    meaning="A configured model has no manifest.",
    why="Without it nothing says what must stay restorable.",
    example=Example(before="a model entry in the configuration", after="no restore-manifest/<model>.json"),
    fix="Run `restore-guard update` and commit the manifest.",
    about=about,
)
