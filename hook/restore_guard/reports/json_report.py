"""For programs: the JSON report, schema 1. Also read again, to join the results of several jobs."""

from __future__ import annotations

import math
import sys

import msgspec

from restore_guard.result import Result
from restore_guard.result_json import encode, told


def render(result: Result) -> str:
    """The report, in ASCII: a name in it cannot steer a terminal or a log that it is printed to."""
    document = {"schema": 1, "verdict": result.verdict} | msgspec.to_builtins(result)
    for model in document["models"]:
        for path in model["restores"].values():
            if path["migration"] is None:
                del path["migration"]
            if path["certain"]:
                del path["certain"]
        model["findings"] = list(map(told, model["findings"]))
        behaviour = model["behaviour"]
        if behaviour and not math.isfinite(behaviour["max_difference"]):
            behaviour["max_difference"] = sys.float_info.max  # JSON has no NaN and no infinity
    return encode(document)
