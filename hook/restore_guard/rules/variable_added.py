"""variable-added: the model has a variable that old checkpoints do not hold."""

from __future__ import annotations

from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight, top, variable_ends


def applies(sight: Sight) -> Subject | None:
    added = sight.new if sight.kind == "added" else None
    return (None, top(added.path, sight.view.there_new)) if added is not None else None


def says(cause: Cause, comparison: Compared) -> str:
    after = words.subjects(cause)[1] or ""
    one = cause.count == 1 and len(set(cause.names)) == 1
    extent = words.extent(cause, after)
    return f"{after} {words.is_or_are(cause)} new{extent}: old checkpoints hold no value for {'it' if one else 'them'}."


RULE = Rule(
    "variable-added",
    meaning="The model has a variable that old checkpoints do not hold: it keeps its initial value.",
    why="A restored model that is partly untrained serves without an error.",
    example=Example("variable-added/attribute"),
    fix=f"If the new variable is to be trained from its initial value, accept the break, or {words.CARRY}.",
    lenient='Set variable-added = "warning" where that is the normal case.',
    explains=Explanation(applies, says, variable_ends, whole=True),
)
