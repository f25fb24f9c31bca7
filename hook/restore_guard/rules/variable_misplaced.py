"""variable-misplaced: a saved value restores into a variable that it does not belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from restore_guard.rules.shared import words
from restore_guard.rules.shared.cause import Cause, Compared, Subject, Trouble
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Explanation, Rule, Told
from restore_guard.rules.shared.view import Sight
from restore_guard.signature import leaf, owner


def applies(sight: Sight) -> Subject | None:
    got = sight.trouble.got
    if got is None or sight.new is None or got == sight.trouble.old:
        return None
    return owner(got) or got, owner(sight.new.path) or sight.new.path


def ends(cause: Cause, comparison: Compared) -> tuple[str | None, str | None]:
    """The saved variable whose value arrives, and the one that it arrives in."""
    return cause.troubles[0].got, cause.troubles[0].new


def says(cause: Cause, comparison: Compared) -> str:
    """Layer by layer, each with its variables."""
    found: dict[tuple[str, ...], list[str]] = {}
    lists: dict[tuple[str, ...], list[str]] = {}
    for trouble in cause.troubles:
        names, variable, of_slots = _alike(trouble, comparison)
        found.setdefault(names, [])
        if variable not in found[names]:
            found[names].append(variable)
        if of_slots and of_slots not in lists.setdefault(names, []):
            lists[names].append(of_slots)
    said = (_sentence(names, variables, lists.get(names, ())) for names, variables in found.items())
    return f"{words.listing(said)}."


def advice(cause: Cause, comparison: Compared) -> str | None:
    """Of an optimizer's values only: they are kept in the order of what is trained."""
    if not all(trouble.new in comparison.new_slots for trouble in cause.troubles):
        return None
    return (
        "Keep the optimizer, which layers it trains and the order in which they are created, or "
        f"{words.CARRY}; or accept the break, and training goes on from other moments."
    )


def _alike(trouble: Trouble, comparison: Compared) -> tuple[tuple[str, ...], str, str]:
    """((what it is now, what has its value, what it was), variable, list): by layers, where it has one name in all.

    Slots of an optimizer are told by the variables that they are for, and the list that they are in.
    """
    new, got = comparison.new_slots.get(trouble.new or ""), comparison.old_slots.get(trouble.got or "")
    of_slots = new[0] if new is not None and got is not None and new[1] != got[1] else ""
    names = tuple(name or "" for name in (trouble.new, trouble.got, trouble.old))
    if of_slots and new is not None and got is not None:
        names = new[1], got[1], ""
    known = [name for name in names if name]
    if len({leaf(name) for name in known}) == 1 and all(map(owner, known)):
        return tuple(map(owner, names)), leaf(known[0]), of_slots
    return names, "", of_slots


def _sentence(names: tuple[str, ...], variables: Sequence[str], lists: Sequence[str]) -> str:
    new, got, old = names
    value = "values" if len(variables) > 1 else "value"
    which = f" ({', '.join(variables)})" if any(variables) else ""
    if new == got and old:
        return f"{new} now does what {old} did, and still gets its own old {value}{which}"
    return f"{new} gets the {value} of {got}{which}{f' in {words.listing(lists)}' if lists else ''}"


def about(facts: Facts) -> Iterator[Told]:
    """Inputs that have changed places: each now does with the values that belong to another one."""
    seen = facts.witness.differing() if facts.witness is not None else {}
    exchanged = {path: one.exchanged for path, one in seen.items() if one.exchanged and path not in facts.explained}
    if not exchanged:
        return
    moved = next(iter(exchanged.values()))
    pairs = words.listing(f"{new} with those of {old}" for new, old in moved.items())
    yield Told(
        f"The values of one input serve another one: the model now computes {pairs}. "
        "The outputs are the same only where the inputs are given in each other's place.",
        facts.nearest_change(),
        restores=tuple(exchanged),
        old=next(iter(moved.values())),
        new=next(iter(moved)),
        fix="Create the layers of each input in the same order as before, or give the layers names that go with it.",
        accept=words.accept_command(facts.name),
    )


RULE = Rule(
    "variable-misplaced",
    meaning="A saved value restores without an error into a variable that it does not belong to.",
    why="Shapes agree, so nothing raises and every value is used: only the outputs are wrong.",
    example=Example("variable-misplaced/sequential-reordered"),
    fix=f"Keep the names of the layers and the order in which they are created, or {words.CARRY}; or accept the break "
    "and retrain.",
    explains=Explanation(applies, says, ends, advice=advice),
    about=about,
)
