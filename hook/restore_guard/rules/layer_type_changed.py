"""layer-type-changed: a layer is of another type than before; a warning where every value still restores."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

from restore_guard.change.diffs import place
from restore_guard.result import Behaviour
from restore_guard.rules.shared import states, words
from restore_guard.rules.shared.cause import Cause, Compared, Subject
from restore_guard.rules.shared.patterns import pattern
from restore_guard.rules.shared.rule import Example, Explanation, Rule, Told
from restore_guard.rules.shared.view import Sight, View
from restore_guard.signature import Holder, Variable, owner


def applies(sight: Sight) -> Subject | None:
    if sight.kind == "state":
        return states.subject(sight, "kind")
    return sight.retyped if sight.kind == "retyped" else None


def ends(cause: Cause, comparison: Compared) -> tuple[str | None, str | None]:
    if states.refusals(cause):
        return states.ends(cause)
    before, after = cause.subject
    return words.typed(before, comparison.old_holders), words.typed(after, comparison.new_holders)


def says(cause: Cause, comparison: Compared) -> str:
    if states.refusals(cause):
        return states.says(cause)
    before, after = cause.subject
    was, now = words.type_of(before, comparison.old_holders), words.type_of(after, comparison.new_holders)
    before, after = words.subjects(cause)
    renamed = f"{after}, " if after != before else ""
    were, are = ("was", "is") if cause.count == 1 else ("were each", "are")
    return f"{before} {were} {words.article(was)} and {are} now {renamed}{words.article(now)}."


def notices(comparison: Compared, causes: Sequence[Cause], behaviour: Behaviour | None) -> Iterator[Told]:
    """Every value of the layer still restores: but does it compute the same? Equal outputs answer that."""
    if behaviour is not None and behaviour.same_output:
        return
    view = View(comparison)
    told = {name for cause in causes for trouble in cause.every for name in (trouble.old, trouble.new)}
    told |= {owner(slot[0]) for name, slot in comparison.new_slots.items() if name in told}  # the optimizers of slots
    told |= {cause.subject[1] for cause in causes if cause.rule == RULE.name}
    layers: dict[tuple[Hashable, ...], dict[str, tuple[Variable, Variable]]] = {}
    for name, before in comparison.same.pairs():
        new, old = comparison.news[name], comparison.olds[before]
        if old.owner == new.owner:
            continue
        held = _holder(name, comparison.new_holders)
        if not held or told & {name, old.path, held}:
            continue
        at = view.nearest(place(new))
        alike = layers.setdefault((old.owner, new.owner, at), {})
        alike.setdefault(held, (new, old))
    for alike in layers.values():
        new, old = next(iter(alike.values()))
        held_before = dict.fromkeys(_holder(each.path, comparison.old_holders) for _, each in alike.values())
        was, now = words.article(f"{old.owner}"), words.article(f"{new.owner}")
        were, are = ("was", "is") if len(alike) == 1 else ("were each", "are")
        yield Told(
            f"{pattern([*alike])} {were} {was} and {are} now {now}. Every value still restores; whether it computes "
            "the same was not tried.",
            view.nearest(place(new)),
            old=f"{pattern([*held_before])} {old.owner}",
            new=f"{pattern([*alike])} {new.owner}",
            variables=tuple(each.path for each, _ in alike.values()),
            fix="See whether both compute the same: `restore-guard check --witness always` compares their outputs.",
            count=len(alike),
        )


def _holder(variable: str, holders: Mapping[str, Holder]) -> str:
    """The layer, module or optimizer that a variable is of: a list or dict of its variables is none."""
    held = owner(variable)
    while held and held not in holders:
        held = owner(held)
    return held or owner(variable)


def advice(cause: Cause, comparison: Compared) -> str | None:
    """Of a table only: of all others what the rule says."""
    return states.advice(cause) if states.refusals(cause) else None


RULE = Rule(
    "layer-type-changed",
    meaning="A layer is of another type than the one that old checkpoints were saved from.",
    why="Another type has other variables, or computes something else with the same ones. Where every value still "
    "restores it is a warning: a Dense that becomes a subclass of Dense is a refactoring.",
    example=Example("layer-type-changed/lstm-to-gru"),
    fix=f"Keep the type, or {words.CARRY}; or accept the break.",
    level="warning",
    breaking="error",
    explains=Explanation(applies, says, ends, whole=True, advice=advice),
    notices=notices,
)
