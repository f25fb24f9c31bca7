"""What kept something from being checked, or made a file unusable."""

from restore_guard.rules.rule import Rule

RULES = (
    Rule(
        "build-failed",
        meaning="The model could not be built, so it could not be checked.",
        why="What was not checked is not green.",
        before="def build(): return Ranker()",
        after="def build(): return Rankr()",
        effects="Unknown.",
        fix="Make the builder run in a fresh checkout of the commit.",
    ),
    Rule(
        "nondeterministic-build",
        meaning="Two builds of the same code have different signatures.",
        why="No verdict on such a model can be repeated.",
        before="for name in sorted(names): ...",
        after="for name in set(names): ...",
        effects="Unknown: they depend on chance.",
        fix="Make the order of creation fixed.",
        level="warning",
    ),
    Rule(
        "checkpoint-corrupt",
        meaning="A checkpoint file is damaged.",
        why="Plain HDF5 has no checksum: a damaged file may load.",
        before="a whole file",
        after="a truncated file",
        effects="Raises, or restores wrong values.",
        fix="Use another copy.",
    ),
)
