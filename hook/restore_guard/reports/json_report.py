"""For programs: the JSON report, schema 1. Also read again, to join the results of several jobs."""

from __future__ import annotations

import json
import math
import sys
from typing import Any, Literal

import msgspec

from restore_guard.result import ModelResult, Result, Verdict

NOT_TOLD = ("effects", "fix", "accept", "variables")
"""What a finding says to a person or to restore-guard itself."""


class _Document(msgspec.Struct):
    schema: Literal[1]
    verdict: Verdict
    base: str | None
    head: str
    models: tuple[ModelResult, ...]


def render(result: Result) -> str:
    """The report, in ASCII: a name in it cannot steer a terminal or a log that it is printed to."""
    document = {"schema": 1, "verdict": result.verdict} | msgspec.to_builtins(result)
    del document["notes"]
    for model in document["models"]:
        del model["notes"]
        model["findings"] = list(map(told, model["findings"]))
        behaviour = model["behaviour"]
        if behaviour and not math.isfinite(behaviour["max_difference"]):
            behaviour["max_difference"] = sys.float_info.max  # JSON has no NaN and no infinity
    return encode(document)


def told(finding: dict[str, Any]) -> dict[str, Any]:
    """What a program is told of a finding."""
    return {key: value for key, value in finding.items() if key not in NOT_TOLD}


def encode(document: dict[str, Any]) -> str:
    """JSON that is safe wherever it is printed."""
    # A file name that is not UTF-8 has lone surrogates, which no JSON reader takes.
    document = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    # GitHub's runner takes `##[` anywhere in a line for a command.
    return json.dumps(document, indent=2).replace("##[", r"#\u0023[") + "\n"


def parse(text: str | bytes) -> Result:
    """Reads what `render` wrote; `ValueError` for anything else."""
    try:
        document = msgspec.json.decode(text, type=_Document)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON report of restore-guard (schema 1): {error}") from error
    result = Result(document.base, document.head, document.models)
    if document.verdict != result.verdict:
        raise ValueError(f"not a sound report: its verdict is {document.verdict!r}, its models say {result.verdict!r}")
    return result
