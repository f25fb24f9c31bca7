"""model-removed: a model with a manifest is no longer configured."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.change.diffs import Place
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    """A warning where the manifest went with the entry: the model was retired."""
    if facts.removed is not None:
        config_file, left = facts.removed
        manifest = f", but its manifest {facts.file} is still there." if left else "; its manifest is gone with it."
        yield Told(
            f"{facts.name} is no longer configured, so nobody checks its checkpoints any more{manifest}",
            Place(config_file, 0),
            old=facts.name,
            level="error" if left else "warning",
            fix=None if left else "Nothing, if the model was retired; else put its entry and its manifest back.",
        )


RULE = Rule(
    "model-removed",
    meaning="A model with a manifest is no longer configured, so nobody checks its checkpoints.",
    why="A renamed entry is a removed model and a new one; the promise to old checkpoints ends in silence.",
    example=Example(before="[tool.restore-guard.models.ranker]", after="[tool.restore-guard.models.ranking]"),
    fix="Keep the entry. To retire a model, remove its manifest together with its entry.",
    about=about,
)
