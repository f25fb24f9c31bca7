"""For programs: the JSON report, schema 1. Also read again, to join the results of several jobs."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from restore_guard.result import ModelResult, Result
from restore_guard.result_json import encode, told


def render(result: Result) -> str:
    """The report, in ASCII: a name in it cannot steer a terminal or a log that it is printed to."""
    document = {"schema": 1, "verdict": result.verdict}
    document |= msgspec.to_builtins(msgspec.structs.replace(result, models=()))
    return encode(document | {"models": models(result.models)})


def models(judged: Sequence[ModelResult]) -> list[dict[str, Any]]:
    """What a program is told of models."""
    found: list[dict[str, Any]] = msgspec.to_builtins([msgspec.structs.replace(model, table=()) for model in judged])
    for model in found:
        del model["table"]
        for path in model["restores"].values():
            if path["migration"] is None:
                del path["migration"]
            if path["certain"]:
                del path["certain"]
        model["findings"] = list(map(told, model["findings"]))
        behaviour = model["behaviour"]
        if behaviour and not math.isfinite(behaviour["max_difference"]):
            behaviour["max_difference"] = sys.float_info.max  # JSON has no NaN and no infinity
    return found
