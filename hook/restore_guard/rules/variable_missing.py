"""variable-missing: old checkpoints hold a variable that the model no longer has."""

from __future__ import annotations

import re

from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight, top, variable_ends


def applies(sight: Sight) -> Subject | None:
    """Also where a load call raises over no variable at all."""
    if sight.kind == "unnamed":
        return (None, None) if sight.trouble.revived else None
    gone = sight.old if sight.kind == "removed" else None
    return (top(gone.path, sight.view.there_old), None) if gone is not None else None


def says(cause: Cause, comparison: Compared) -> str:
    before = words.subjects(cause)[0]
    if before is None and _is_uncalled(cause, comparison):
        return "What the builder returns has no variables before its first call, so that nothing can be loaded into it."
    if before is None:
        objects = _named(cause, comparison)
        over = f"over {objects}, and names no variable" if objects else "for a reason that names no variable"
        return f"The load call raises {over}."
    old = cause.troubles[0].old
    site = comparison.olds[old].site if old is not None else None
    origin = f"created at {site.file}:{site.line} before" if site is not None else ""
    return (
        f"{before} {words.is_or_are(cause)} gone{words.extent(cause, before, origin)}: "
        f"{'its' if cause.count == 1 else 'their'} values in old checkpoints are dropped."
    )


def _named(cause: Cause, comparison: Compared) -> str:
    """The objects that Keras names in an error, by its `<Class name=..., built=True>`."""
    errors = (comparison.outcomes[path].error or "" for path in comparison.outcomes if path in cause.paths)
    found = dict.fromkeys(pair for error in errors for pair in re.findall(r"<(\w+) name=([\w./-]+)", error))
    return words.listing(f"{name} ({words.article(kind)})" for kind, name in found)


def advice(cause: Cause, comparison: Compared) -> str | None:
    """What raises without naming a variable is no layer to keep."""
    before = words.subjects(cause)[0]
    if before is not None:
        return (
            f"Keep {before} until checkpoints that hold it are out of service, or {words.CARRY}; or accept the break."
        )
    if _is_uncalled(cause, comparison):
        return "Make the variables before loading: give the model its Input, or call it once, as before."
    return (
        "Keep what a layer stores and loads by code of its own as it was, or let it read the old form too; or "
        f"{words.CARRY}."
    )


def _is_uncalled(cause: Cause, comparison: Compared) -> bool:
    situations = [comparison.outcomes[path].situation for path in cause.paths]
    return any(situation and situation.restored == "uncalled" for situation in situations)


RULE = Rule(
    "variable-missing",
    meaning="Old checkpoints hold a variable that the model no longer has: its value is dropped.",
    why="Nothing is said when a saved value is not used. If it was not on purpose, trained weights are gone.",
    example=Example("variable-missing/auxiliary-head"),
    fix=f"Keep the layer until checkpoints that hold it are out of service, or {words.CARRY}; or accept the break.",
    explains=Explanation(applies, says, variable_ends, whole=True, advice=advice),
)
