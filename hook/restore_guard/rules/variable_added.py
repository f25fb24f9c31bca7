"""variable-added: the model has a variable that old checkpoints do not hold."""

from __future__ import annotations

from restore_guard.rules.shared import states, words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight, top, variable_ends


def applies(sight: Sight) -> Subject | None:
    if sight.kind == "state":
        return states.subject(sight, "added")
    added = sight.new if sight.kind == "added" else None
    return (None, top(added.path, sight.view.there_new)) if added is not None else None


def says(cause: Cause, comparison: Compared) -> str:
    if states.refusals(cause):
        return states.says(cause)
    after = words.subjects(cause)[1] or ""
    one = cause.count == 1 and len(set(cause.names)) == 1
    extent = words.extent(cause, after)
    return f"{after} {words.is_or_are(cause)} new{extent}: old checkpoints hold no value for {'it' if one else 'them'}."


def ends(cause: Cause, comparison: Compared) -> Subject:
    return states.ends(cause) if states.refusals(cause) else variable_ends(cause, comparison)


def advice(cause: Cause, comparison: Compared) -> str | None:
    """Of a table only: of all others what the rule says."""
    return states.advice(cause) if states.refusals(cause) else None


RULE = Rule(
    "variable-added",
    meaning="The model has a variable that old checkpoints do not hold: it keeps its initial value.",
    why="A restored model that is partly untrained serves without an error.",
    example=Example("variable-added/attribute"),
    fix=f"If the new variable is to be trained from its initial value, accept the break, or {words.CARRY}.",
    lenient='Set variable-added = "warning" where that is the normal case.',
    explains=Explanation(applies, says, ends, whole=True, advice=advice),
)
