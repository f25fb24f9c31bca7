"""Symptoms grouped by root cause: one changed line is one cause, whatever it did to however many variables."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial

import msgspec

from restore_guard.change.diffs import Place
from restore_guard.judging.blame import Blamed
from restore_guard.judging.comparison import Comparison, troubles
from restore_guard.judging.symptoms import Symptom, Symptoms
from restore_guard.rules.shared import patterns
from restore_guard.rules.shared.cause import Cause, Trouble
from restore_guard.signature import owner

# Of what one line did, the first of these names the finding.
_ORDER = (
    "config-incompatible",
    "layer-type-changed",
    "sharing-changed",
    "variable-renamed",
    "shape-changed",
    "dtype-changed",
    "variable-missing",
    "variable-added",
    "variable-misplaced",
    "not-saved",
)
# What follows from another thing of its kind is so much farther from the line.
_FOLLOWS = 0.75
# A size that changed at a line so much nearer comes from there.
_SURER = 2.0


def root_causes(comparison: Comparison) -> list[Cause]:
    """Returns the causes of all troubles of a comparison, in the order of the variables."""
    found = troubles(comparison)
    if not found:
        return []
    placed: dict[tuple[Place, bool], list[tuple[Blamed, Symptom]]] = {}
    loose: list[Symptom] = []
    for symptom in _sized(list(Symptoms(comparison, found)), comparison.diff.is_one_edit):
        if symptom.at is not None:
            placed.setdefault((symptom.at.place, symptom.at.is_gone), []).append((symptom.at, symptom))
        else:
            loose.append(symptom)
    causes = [_of_line(place, symptoms) for (place, _), symptoms in placed.items()]
    causes = _without_shifts(causes, comparison)
    return _without_shifts(causes + _of_the_rest(loose, causes), comparison)


def _sized(symptoms: Sequence[Symptom], is_one_edit: Callable[[Place, Place], bool]) -> list[Symptom]:
    """The symptoms, those of a size that another variable changed first on the same path with its line."""
    first: dict[Hashable, Blamed] = {}
    for symptom in symptoms:
        if (at := symptom.at) is None:
            continue
        for size in symptom.sizes:
            key = symptom.trouble.path, size
            first[key] = min(first.get(key, at), at, key=lambda at: (at.cost, at.place))
    found = []
    for symptom in symptoms:
        known = [first[key] for size in symptom.sizes if (key := (symptom.trouble.path, size)) in first]
        nearest, at = min(known, key=lambda at: (at.cost, at.place), default=None), symptom.at
        if nearest is not None and (at is None or nearest.cost < at.cost - _SURER):
            symptom = msgspec.structs.replace(symptom, at=nearest._replace(cost=nearest.cost + _SURER))
        elif nearest is not None and at is not None and is_one_edit(nearest.place, at.place):
            upper = min(nearest, at, key=lambda at: at.place)
            symptom = msgspec.structs.replace(symptom, at=upper._replace(cost=at.cost))
        found.append(symptom)
    return found


def _of_line(place: Place, symptoms: Sequence[tuple[Blamed, Symptom]]) -> Cause:
    """What one line did: the nearest symptoms are its own, the others follow from them."""
    nearest = min(at.cost for at, _ in symptoms)
    own = [symptom for at, symptom in symptoms if at.cost <= nearest + _FOLLOWS or not symptom.may_follow]
    cause, *others = sorted(_alike(own, place), key=lambda cause: _ORDER.index(cause.rule))
    if cause.rule == "layer-type-changed":
        # A layer of another type has other variables: no news.
        for other in others:
            cause.troubles += other.troubles
        others = []
    cause.also = others
    told = {(trouble.path, trouble.old, trouble.new) for trouble in cause.own}
    for _, symptom in symptoms:
        trouble = symptom.trouble
        if (trouble.path, trouble.old, trouble.new) not in told:
            cause.consequences.append(trouble)
    return cause


def _without_shifts(causes: Sequence[Cause], comparison: Comparison) -> list[Cause]:
    """The causes; what was only moved by another one, on all of its paths, follows from that.

    That is one of the same edit, or one that renamed what the moved is stored below. What moved within an optimizer
    follows, on whatever path, from what happened to its slots.
    """
    kept = [cause for cause in causes if not cause.is_shift]
    if len(kept) == len(causes):
        return kept
    slots = {**comparison.old_slots, **comparison.new_slots}
    optimizers = {
        id(cause): {owner(slots[trouble.name][0]) for trouble in cause.every if trouble.name in slots} for cause in kept
    }

    def follows(cause: Cause, other: Cause) -> bool:
        only_slots = all(trouble.name in slots for trouble in other.troubles)
        within = all(_is_below_any(optimizers[id(other)], trouble) for trouble in cause.troubles)
        if within and (only_slots or cause.place is None):
            return True
        places = cause.place is not None and other.place is not None and (other.place, cause.place)
        return cause.paths <= other.paths and (
            bool(places and comparison.diff.is_one_edit(*places))
            or all(_is_below(trouble, other, comparison) for trouble in cause.troubles)
        )

    for cause in causes:
        if cause.is_shift:
            reason = next((other for other in kept if not other.is_shift and follows(cause, other)), None)
            if reason is not None:
                reason.consequences += cause.every
            else:
                kept.append(cause)
    return kept


def _is_below(trouble: Trouble, cause: Cause, comparison: Comparison) -> bool:
    """Whether a variable is stored, on either side, below what a cause renamed: a shared one below its first holder."""
    outcome = comparison.outcomes[trouble.path]
    ends = outcome.saved_addresses.get(trouble.old or ""), outcome.model_addresses.get(trouble.new or "")
    return cause.rule == "variable-renamed" and any(
        name and end and f"{end}/".startswith(f"{name}/")
        for subject in cause.subjects
        for name, end in zip(subject, ends, strict=True)
    )


def _alike(symptoms: Iterable[Symptom], place: Place | None) -> list[Cause]:
    """Causes of symptoms of one rule each, and of one kind: `blocks/*/attn` is not `head`."""
    causes: dict[Hashable, Cause] = {}
    for symptom in symptoms:
        key = symptom.rule, symptom.is_moved, symptom.trouble.refusal is not None
        cause = causes.setdefault(key, Cause(symptom.rule, [], place, is_shift=symptom.is_moved))
        if symptom.subject not in cause.subjects:
            cause.subjects.append(symptom.subject)
        cause.troubles.append(symptom.trouble)
    return list(causes.values())


def _of_the_rest(loose: Sequence[Symptom], known: Sequence[Cause]) -> list[Cause]:
    """Symptoms of no line follow from a cause that explains them on their path, else each kind stands for itself."""
    left = _unexplained(loose, known, _explains)
    optimizers: dict[str, list[Symptom]] = {}
    for symptom in left:
        if symptom.optimizer is not None and not symptom.is_moved:
            optimizers.setdefault(symptom.optimizer, []).append(symptom)
    causes = []
    for optimizer, symptoms in optimizers.items():
        found = _of_slots(symptoms)
        told = {id(trouble) for cause in found for trouble in cause.every}
        left = [symptom for symptom in left if id(symptom.trouble) not in told]
        left = _unexplained(left, found, partial(_moved_with, optimizer))
        causes += found
    return causes + _by_family(left)


def _unexplained(
    symptoms: Iterable[Symptom], known: Sequence[Cause], explains: Callable[[Cause, Symptom], bool]
) -> list[Symptom]:
    """Those that no cause explains; the others follow from the first that does."""
    left = []
    for symptom in symptoms:
        explaining = [cause for cause in known if explains(cause, symptom)]
        if explaining:
            explaining[0].consequences.append(symptom.trouble)
        else:
            left.append(symptom)
    return left


def _of_slots(symptoms: Iterable[Symptom]) -> list[Cause]:
    """What happened to an optimizer whose variables did not change is one cause: they are trained or ordered anew."""
    places: dict[Place | None, list[Symptom]] = {}
    for symptom in symptoms:
        places.setdefault(symptom.slot_at and symptom.slot_at.place, []).append(symptom)
    causes = []
    for place, found in places.items():
        # What only got another number follows from what is new or gone.
        alike = sorted(_alike(found, place), key=lambda cause: _ORDER.index(cause.rule))
        cause, *others = sorted(alike, key=lambda cause: cause.rule == "variable-renamed")
        for other in others:
            cause.consequences += other.every
        causes.append(cause)
    return causes


def _moved_with(optimizer: str, cause: Cause, symptom: Symptom) -> bool:
    """Whether something only moved in the optimizer whose slots a cause is about, on whatever path."""
    return symptom.is_moved and _is_below_any([optimizer], symptom.trouble)


def _is_below_any(owners: Iterable[str], trouble: Trouble) -> bool:
    return any(trouble.name.startswith(f"{path}/") for path in owners)


def _by_family(symptoms: Iterable[Symptom]) -> list[Cause]:
    families: dict[Hashable, list[Symptom]] = {}
    for symptom in symptoms:
        families.setdefault((symptom.rule, *map(patterns.family, symptom.family)), []).append(symptom)
    causes = []
    for symptoms in families.values():
        at = next((symptom.slot_at for symptom in symptoms if symptom.slot_at is not None), None)
        causes += _alike(symptoms, at and at.place)
    return causes


def _explains(cause: Cause, symptom: Symptom) -> bool:
    """Whether a cause is of the very thing, or did on the very path what moved it or lost an optimizer's slot."""
    if symptom.rule == cause.rule and symptom.subject in cause.subjects:
        return True
    if symptom.slot_at is not None and symptom.slot_at.place == cause.place and not cause.is_shift:
        return True
    if symptom.trouble.path not in cause.paths:
        return False
    optimizer = symptom.optimizer
    if cause.is_shift and optimizer is not None and all(_is_below_any([optimizer], item) for item in cause.troubles):
        return symptom.is_moved  # slots do not become new or another's because others of them moved
    if cause.is_shift and symptom.rule == "variable-added" and symptom.slot_at is not None:
        return symptom.slot_at.place != cause.place  # else it is what moved the others
    return symptom.is_moved or symptom.optimizer is not None
