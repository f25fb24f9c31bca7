"""A result as JSON: the report of `--format json`, and what jobs hand to each other."""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

from restore_guard.result import ModelResult, Result, Verdict

NOT_TOLD = ("effects", "fix", "accept", "variables", "unchecked")
"""What a finding says to a person or to restore-guard itself."""


class Document(msgspec.Struct):
    schema: Literal[1]
    verdict: Verdict
    base: str | None
    head: str
    models: tuple[ModelResult, ...]
    notes: tuple[str, ...] = ()


def told(finding: dict[str, Any]) -> dict[str, Any]:
    """What a program is told of a finding."""
    known = {key: value for key, value in finding.items() if key not in NOT_TOLD}
    if known["suggestion"] is None:
        del known["suggestion"]
    return known


def encode(document: dict[str, Any]) -> str:
    """JSON that is safe wherever it is printed."""
    # A file name that is not UTF-8 has lone surrogates, which no JSON reader takes.
    document = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    # GitHub's runner takes `##[` anywhere in a line for a command.
    return json.dumps(document, indent=2).replace("##[", r"#\u0023[") + "\n"


def parse(text: str | bytes) -> Result:
    """Reads what `render` wrote; `ValueError` for anything else."""
    try:
        document = msgspec.json.decode(text, type=Document)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON report of restore-guard (schema 1): {error}") from error
    result = Result(document.base, document.head, document.models, document.notes)
    if document.verdict != result.verdict:
        raise ValueError(f"not a sound report: its verdict is {document.verdict!r}, its models say {result.verdict!r}")
    return result
