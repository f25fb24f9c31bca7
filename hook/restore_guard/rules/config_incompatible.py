"""config-incompatible: an old file of a whole model, a .keras, can no longer be made into one."""

from __future__ import annotations

from restore_guard.plain_data import Site
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.rule import Example, Explanation, Rule
from restore_guard.rules.shared.view import Sight, variable_ends


def applies(sight: Sight) -> Subject | None:
    return (None, None) if sight.kind == "unnamed" and not sight.trouble.revived else None


def refusal(comparison: Compared) -> Site | None:
    """Where the code refuses the configuration."""
    revivals = [archive.revival for path, archive in comparison.model.wholes if path in comparison.outcomes]
    return next((revival.site for revival in revivals if revival is not None), None)


def says(cause: Cause, comparison: Compared) -> str:
    return "A saved configuration can no longer be made into a model by this code."


RULE = Rule(
    "config-incompatible",
    meaning="An old .keras file, or an .h5 of a whole model, can no longer be turned into a model by the new code.",
    why=".keras restores the saved configuration: constructor arguments and registered names are part of the file.",
    example=Example("config-incompatible/argument-renamed"),
    fix="Accept the old arguments in __init__ or from_config, and keep the registered name.",
    explains=Explanation(applies, says, variable_ends, refusal=refusal),
)
