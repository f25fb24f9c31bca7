"""What real restores showed, set against the simulation, which they outrank."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Set

import msgspec

from restore_guard.build import Observation, Witness
from restore_guard.judging.comparison import Comparison
from restore_guard.restore_paths import Failure, Outcome
from restore_guard.restore_paths.situations import TRAINED
from restore_guard.signature import Signature


def parameters(signature: Signature) -> int:
    """How many numbers a model holds; an unknown dimension counts as one."""
    return sum(math.prod(size or 1 for size in variable.shape or ()) for variable in signature.variables)


def outranked(comparison: Comparison, witness: Witness) -> tuple[Comparison, list[str]]:
    """The comparison with what was really seen in place of what was simulated, and where the two disagree.

    A witness that tells of variables which the simulation does not know is believed in what it says of the outcome:
    what it contradicts is not certain then.
    """
    outcomes, roles, disagreements = dict(comparison.outcomes), {}, []
    before = dict(comparison.unsaved_before)
    for path, simulated in comparison.outcomes.items():
        left_out = (of.get(path, frozenset()) for of in (comparison.unheld, comparison.unwanted))
        found = witness.observations.get(path)
        if found is None or (simulated.kind == "unsupported" and found.outcome == "raises"):
            continue
        seen = without(found, *left_out)
        if unknown := sorted(_unknown(comparison, seen)):
            outcomes[path] = _contradicted(simulated, seen)
            disagreements.append(
                f"{path}: the build with values has other variables than the one that was judged "
                f"({', '.join(unknown[:3])}), and really restoring it {_TOLD[seen.outcome]}: "
                "the builder builds another model where it runs eagerly, or loading makes another one."
            )
        elif simulated.situation not in (None, TRAINED):
            # What was tried is a trained model restored into a trained one, which restores at least as much.
            if is_graver(seen, simulated):
                outcomes[path] = _contradicted(simulated, seen)
        elif _agree(comparison, simulated, seen):
            outcomes[path], roles[path] = _confirmed(simulated, seen), seen.roles
        else:
            outcomes[path], roles[path] = _seen_instead(simulated, seen), seen.roles
            if simulated.certain:
                disagreements.append(
                    f"{path}: the simulation said {simulated.kind}, TensorFlow itself: {seen.outcome}. "
                    "TensorFlow's word counts; please report it as a bug of restore-guard."
                )
            if path in witness.control:
                before[path] = before[path] | set(_lost(witness.control[path]))
    replaced = msgspec.structs.replace(comparison, outcomes=outcomes, roles=roles, unsaved_before=before)
    return replaced, disagreements


def is_graver(seen: Observation, simulated: Outcome) -> bool:
    """Whether a real restore does worse than the simulation says."""
    return _GRAVITY[seen.outcome] > _GRAVITY[simulated.kind]


_TOLD = {"restores": "restores all of it", "partial": "loses a part of it", "raises": "raises"}
_GRAVITY = {"restores": 0, "unsupported": 1, "partial": 1, "raises": 2}


def _confirmed(simulated: Outcome, seen: Observation) -> Outcome:
    return msgspec.structs.replace(
        simulated,
        failures=_quoting(simulated.failures, seen.error),
        converted={**simulated.converted, **seen.converted},
        lost=_lost_state(simulated, seen),
        certain=True,
        witnessed=True,
    )


def _seen_instead(simulated: Outcome, seen: Observation) -> Outcome:
    return msgspec.structs.replace(
        simulated,
        kind=seen.outcome,
        assigned=seen.assigned,
        converted=seen.converted,
        initial=(*seen.initial, *seen.changed_otherwise),
        unused=seen.unused,
        lost=_lost_state(simulated, seen),
        failures=(Failure(seen.error),) if seen.error is not None else (),
        certain=True,
        witnessed=True,
    )


def _lost_state(simulated: Outcome, seen: Observation) -> tuple[str, ...]:
    """What reaches no object: of hash tables it was looked into, of other objects only the simulation knows."""
    kept = [name for name in simulated.lost if name not in seen.tables or name in seen.lost]
    return (*kept, *(name for name in seen.lost if name not in kept))


def _contradicted(simulated: Outcome, seen: Observation) -> Outcome:
    """The worse of both; never certain."""
    if _GRAVITY[simulated.kind] >= _GRAVITY[seen.outcome]:
        return msgspec.structs.replace(simulated, certain=False, contradicted=True)
    failures = (Failure(seen.error),) if seen.error is not None else ()
    return msgspec.structs.replace(
        simulated, kind=seen.outcome, failures=failures, certain=False, witnessed=True, contradicted=True
    )


def without(seen: Observation, unheld: Set[str], unwanted: Set[str]) -> Observation:
    """What was seen, without the variables that no checkpoint holds, and the saved ones that are left on purpose."""
    if not (unheld & {*seen.initial} or unwanted & {*seen.unused}):
        return seen
    initial = tuple(name for name in seen.initial if name not in unheld)
    unused = tuple(name for name in seen.unused if name not in unwanted)
    whole = seen.outcome == "partial" and not (initial or unused or seen.changed_otherwise)
    outcome = "restores" if whole else seen.outcome
    return msgspec.structs.replace(seen, outcome=outcome, initial=initial, unused=unused)


def _lost(control: Observation) -> Iterator[str]:
    """What the unchanged code loses as well."""
    yield from (*control.initial, *control.changed_otherwise, *control.unused)


def _unknown(comparison: Comparison, seen: Observation) -> set[str]:
    """The variables that the comparison knows nothing of."""
    news = {*seen.assigned, *seen.initial, *seen.changed_otherwise, *seen.converted, *seen.roles}
    olds = {*seen.assigned.values(), *seen.unused, *seen.roles.values()}
    olds.update(old for parts in seen.converted.values() for old in parts)
    return (news - comparison.news.keys()) | (olds - comparison.olds.keys())


def _agree(comparison: Comparison, simulated: Outcome, seen: Observation) -> bool:
    if "raises" in (simulated.kind, seen.outcome):
        return simulated.kind == seen.outcome
    counted = {new: old for new, old in simulated.assigned.items() if not comparison.news[new].seed}
    # What a known conversion has made of a value is in no file; that it is there says that it was made.
    consumed = {old for parts in simulated.converted.values() for old in parts}
    return (
        simulated.kind != "unsupported"
        and counted == seen.assigned
        and set(simulated.initial) == set(seen.initial)
        and set(simulated.converted) == {*seen.changed_otherwise, *seen.converted}
        and set(simulated.unused) == set(seen.unused) - consumed
    )


def _quoting(failures: Sequence[Failure], error: str | None) -> tuple[Failure, ...]:
    """A load call tells one error: the first failure gets its real words."""
    if error is None or not failures:
        return tuple(failures)
    return (msgspec.structs.replace(failures[0], message=error), *failures[1:])
