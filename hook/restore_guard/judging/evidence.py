"""What real restores showed, set against the simulation, which they outrank."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Hashable, Mapping, Sequence

from restore_guard.build import Observation, Witness
from restore_guard.change.diffs import Diff, place
from restore_guard.judging.comparison import Comparison
from restore_guard.judging.correspondence import correspond
from restore_guard.restore_paths import Failure, Outcome, restore
from restore_guard.signature import Signature, Variable, leaf, owner

# By which a model might be meant to be read, promised or not: by name, by attribute, by the order of creation.
_POSSIBLE = ("tf-checkpoint", "keras-weights", "h5", "h5-by-name")


# Each pair of them costs a call of the model.
_FEW_ALIKE = 8


def rivals(base: Signature, head: Signature, diff: Diff) -> list[dict[str, str]]:
    """What each variable of the head might be in the base: as lines and names show it, as restoring would have it, or
    with two exchanged of those that are alike and on changed lines.

    Returns:
        Assignments {variable of the head: variable of the base}; the outputs tell which one is right.
    """
    same = dict(correspond(base, head, diff).pairs())
    found = [same]
    for path in _POSSIBLE:
        outcome = restore(path, base, head)
        if outcome.kind == "restores" and (assigned := dict(outcome.assigned)) not in found:
            found.append(assigned)
    alike: dict[Hashable, list[list[str]]] = {}
    for held in _changed_owners(base, diff, same):
        alike.setdefault(tuple((leaf(item.path), item.shape, item.dtype) for item in held), []).append(
            [item.path for item in held]
        )
    for owners in alike.values():
        for one, other in itertools.combinations(owners[:_FEW_ALIKE], 2):
            exchange = dict(zip([*one, *other], [*other, *one], strict=True))
            found.append({new: exchange.get(old, old) for new, old in same.items()})
    return found


def _changed_owners(base: Signature, diff: Diff, same: Mapping[str, str]) -> list[list[Variable]]:
    """The variables of each layer of the base that still is there, and was created at a line that is not."""
    there, owned = set(same.values()), {}
    for variable in base.variables:
        at = place(variable)
        if at is not None and diff.head(at) is None and variable.path in there:
            owned.setdefault(owner(variable.path), []).append(variable)
    return list(owned.values())


def parameters(signature: Signature) -> int:
    """How many numbers a model holds; an unknown dimension counts as one."""
    return sum(math.prod(size or 1 for size in variable.shape or ()) for variable in signature.variables)


def outranked(comparison: Comparison, witness: Witness) -> tuple[Comparison, list[str]]:
    """The comparison with what was really seen in place of what was simulated, and where the two disagree."""
    outcomes, roles, disagreements = dict(comparison.outcomes), {}, []
    for path, simulated in comparison.outcomes.items():
        seen = witness.observations.get(path)
        if seen is None or simulated.kind == "unsupported" or not _is_about(comparison, seen):
            continue
        roles[path] = seen.roles
        if _agree(comparison, simulated, seen):
            outcomes[path] = dataclasses.replace(
                simulated, failures=_quoting(simulated.failures, seen.error), certain=True, witnessed=True
            )
            continue
        if simulated.certain:
            disagreements.append(
                f"{path}: the simulation said {simulated.kind}, TensorFlow itself: {seen.outcome}. "
                "TensorFlow's word counts; please report it as a bug of restore-guard."
            )
        outcomes[path] = dataclasses.replace(
            simulated,
            kind=seen.outcome,
            assigned=seen.assigned,
            initial=(*seen.initial, *seen.changed_otherwise),
            unused=seen.unused,
            failures=(Failure(seen.error),) if seen.error is not None else (),
            certain=True,
            witnessed=True,
        )
    return dataclasses.replace(comparison, outcomes=outcomes, roles=roles), disagreements


def _is_about(comparison: Comparison, seen: Observation) -> bool:
    """An eager build may name its variables otherwise; its word is then of no use here."""
    news = {*seen.assigned, *seen.initial, *seen.changed_otherwise, *seen.roles}
    olds = {*seen.assigned.values(), *seen.unused, *seen.roles.values()}
    return news <= comparison.news.keys() and olds <= comparison.olds.keys()


def _agree(comparison: Comparison, simulated: Outcome, seen: Observation) -> bool:
    if simulated.kind != seen.outcome:
        return False
    if seen.outcome == "raises":
        return True
    counted = {new: old for new, old in simulated.assigned.items() if not comparison.news[new].seed}
    return (
        counted == seen.assigned
        and set(simulated.initial) == set(seen.initial)
        and set(simulated.unused) == set(seen.unused)
        and not seen.changed_otherwise
    )


def _quoting(failures: Sequence[Failure], error: str | None) -> tuple[Failure, ...]:
    """A load call tells one error: the first failure gets its real words."""
    if error is None or not failures:
        return tuple(failures)
    return (dataclasses.replace(failures[0], message=error), *failures[1:])
