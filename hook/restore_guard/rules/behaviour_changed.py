"""behaviour-changed: everything restores, and the model computes something else."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from restore_guard.change.diffs import place
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    """Only a witness shows it; where values are lost anyway, other outputs are no news."""
    behaviour, comparison = facts.behaviour, facts.comparison
    if behaviour is None or behaviour.same_output or facts.broken:
        return
    sites = [place(item) for item in (*comparison.model.holders, *comparison.model.variables)]
    lines = [comparison.diff.nearest_change(at) for at in sites if at is not None]
    alike = behaviour.max_difference < sys.float_info.max
    by = f"differ by up to {behaviour.max_difference:.3g}" if alike else "have another form"
    yield Told(
        f"Everything restores, but from the same inputs and the same values the outputs {by}.",
        next((at for at in lines if at is not None), None),
    )


RULE = Rule(
    "behaviour-changed",
    meaning="Everything restores, and the model computes something else from the same inputs.",
    why="Old weights were trained for the old computation.",
    example=Example("behaviour-changed/scaled-activation"),
    fix="Retrain, or keep the old computation.",
    level="warning",
    about=about,
)
