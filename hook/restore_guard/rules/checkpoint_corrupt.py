"""checkpoint-corrupt: a checkpoint file is damaged, or holds values that are no numbers."""

from __future__ import annotations

from collections.abc import Iterator

from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told


def about(facts: Facts) -> Iterator[Told]:
    if facts.damage:
        first, *others = facts.damage
        more = f" (and {len(others)} more)" if others else ""
        yield Told(f"The checkpoint is damaged: {first}{more}.", effects=tuple(others))
    if facts.not_finite:
        sentences = [f"{name}: {nan} NaN, {infinite} infinite" for name, (nan, infinite) in facts.not_finite.items()]
        many = f"{len(sentences)} tensors hold" if len(sentences) > 1 else "A tensor holds"
        message = f"{many} values that are no finite numbers."
        yield Told(message, level="warning", effects=tuple(sentences), fix="")


RULE = Rule(
    "checkpoint-corrupt",
    meaning="A checkpoint file is damaged.",
    why="Plain HDF5 has no checksum: a damaged file may load.",
    example=Example(before="a whole file", after="a truncated file"),
    fix="Use another copy.",
    about=about,
)
