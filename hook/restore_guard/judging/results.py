"""What the reports show of a restore path: made of its outcome and of what a witness saw. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from restore_guard.judging.case import Case
from restore_guard.restore_paths import Outcome
from restore_guard.restore_paths.situations import TRAINED
from restore_guard.result import PathResult, Situation
from restore_guard.signature import Signature


def path_result(outcome: Outcome, head: Signature, misplaced: Mapping[str, str]) -> PathResult:
    """What the reports show of an outcome."""
    counted = {variable.path for variable in head.variables if not variable.seed}
    restored, situation = counted & {*outcome.assigned, *outcome.converted}, outcome.situation
    if outcome.kind in ("restores", "partial"):
        # An optimizer's state whose loss is none does not count.
        counted = restored | set(outcome.initial)
    return PathResult(
        outcome=outcome.kind,
        restored=len(restored) if outcome.kind in ("restores", "partial") else 0,
        variables=len(counted),
        initial=outcome.initial,
        unused=outcome.unused,
        misplaced=tuple(misplaced),
        error=outcome.error,
        evidence="witnessed" if outcome.witnessed else "simulated",
        situation=Situation(*situation) if situation is not None and situation != TRAINED else None,
    )


def with_outputs(case: Case, path: str, result: PathResult) -> PathResult:
    """The result of a path with whether its outputs are those of what was saved."""
    if result.outcome != "restores":
        return result
    if case.witness is None:
        return msgspec.structs.replace(result, uncompared=case.unwitnessed)
    seen = case.witness.observations.get(path)
    if seen is None or seen.behaviour is None:
        why = (seen and seen.uncompared) or "no real restore could be tried"
        return msgspec.structs.replace(result, uncompared=why)
    return msgspec.structs.replace(result, outputs="same" if seen.behaviour.same_output else "differ")
