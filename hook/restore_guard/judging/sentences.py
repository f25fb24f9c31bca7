"""What a finding about variables says to a person, whatever its rule."""

from __future__ import annotations

from restore_guard.judging.comparison import Comparison
from restore_guard.restore_paths.outcome import gist
from restore_guard.restore_paths.situations import phrase
from restore_guard.rules import explanation
from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause


def message(comparison: Comparison, cause: Cause) -> str:
    """What happened, and what else no longer restores because of it."""
    kinds = (cause, *cause.also)
    sentence = " ".join(explanation(kind.rule).says(kind, comparison) for kind in kinds)
    own = {trouble.name for trouble in cause.own}
    others = len({trouble.name for trouble in cause.consequences} - own)
    if others:
        what = words.count(others, "other variable")
        sentence += (
            f" Because of it, {what} no longer get{'s its saved value' if others == 1 else ' their saved values'}."
        )
    return sentence


def effect(comparison: Comparison, cause: Cause, path: str) -> str:
    """What the load call of one path does with the variables of a cause."""
    outcome = comparison.outcomes[path]
    mine = [trouble for trouble in cause.every if trouble.path == path]
    situation = phrase(*outcome.situation) if outcome.situation is not None else ""
    when = f" ({situation})" if situation else ""
    if outcome.kind == "raises":
        names = {name for trouble in mine for name in (trouble.old, trouble.new) if name}
        first = min((outcome.failures_of[name] for name in names if name in outcome.failures_of), default=None)
        if first is None and not names:
            first = next((n for n, why in enumerate(outcome.failures) if not (why.saved or why.model)), None)
        # A load call tells one error; a cause that it does not get to has none of its own.
        return f"{path}{when} raises" + (f": {gist(outcome.failures[first].message)}" if first is not None else "")
    initial = len({trouble.new for trouble in mine} & outcome.initials)
    unused = len({trouble.old for trouble in mine} & outcome.unuseds)
    wrong = len({trouble.new for trouble in mine if trouble.got not in (None, trouble.old)})
    reshaped = len({trouble.new for trouble in mine} & set(outcome.reshaped))
    parts = []
    if initial:
        parts.append(f"{words.count(initial, 'variable')} keep{'s its' if initial == 1 else ' their'} initial value")
    if unused:
        parts.append(f"{words.count(unused, 'saved value')} {'is' if unused == 1 else 'are'} dropped")
    if wrong:
        parts.append(f"{words.count(wrong, 'variable')} get{'s' if wrong == 1 else ''} the value of another")
    if reshaped:
        parts.append(f"{words.count(reshaped, 'variable')} take{'s' if reshaped == 1 else ''} a value of another shape")
    return f"{path}{when} raises nothing: {', '.join(parts)}"
