"""variable-misplaced: a saved value restores into a variable that it does not belong to."""

from __future__ import annotations

from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject, Trouble
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight, Stand
from restore_guard.signature import owner


def applies(sight: Sight) -> Subject | None:
    got = sight.trouble.got
    if sight.kind != "elsewhere" or got == sight.trouble.old:
        return None
    return owner(got) or got, owner(sight.new.path) or sight.new.path


def stands(sight: Sight, subject: Subject) -> Stand:
    return sight.stands()


def ends(cause: Cause, comparison: Compared) -> tuple[str | None, str | None]:
    """The saved variable whose value arrives, and the one that it arrives in."""
    return cause.troubles[0].got, cause.troubles[0].new


def says(cause: Cause, comparison: Compared) -> str:
    return f"{words.listing(dict.fromkeys(map(_misplacing, cause.troubles)))}."


def _misplacing(trouble: Trouble) -> str:
    if trouble.new == trouble.got and trouble.old is not None:
        return f"{trouble.new} now does what {trouble.old} did, and gets the value of {trouble.got} still"
    return f"{trouble.new} gets the value of {trouble.got}"


RULE = Rule(
    "variable-misplaced",
    meaning="A saved value restores without an error into a variable that it does not belong to.",
    why="Shapes agree, so nothing raises and every value is used: only the outputs are wrong.",
    example=Example("variable-misplaced/sequential-reordered"),
    fix="Keep the names of the layers and the order in which they are created, or accept the break and retrain.",
    explains=Explanation(applies, says, ends, stands),
)
