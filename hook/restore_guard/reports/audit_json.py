"""What `audit` found, for programs: schema 1, with models and findings as in the report of `check`."""

from __future__ import annotations

import msgspec

from restore_guard.commands.audit import Audit
from restore_guard.result_json import encode, told

_OF_THE_FILE = ("file", "format", "state", "tensors", "bytes", "damage", "unverified", "notes", "not_finite")
_OF_A_MODEL = ("name", "verdict", "variables", "restores", "findings", "notes", "table")


def render(audit: Audit) -> str:
    read = audit.checkpoint
    models = [{key: model[key] for key in _OF_A_MODEL} for model in msgspec.to_builtins(audit.models)]
    for model in models:
        model["findings"] = list(map(told, model["findings"]))
    return encode(
        {
            "schema": 1,
            "verdict": audit.verdict,
            "checkpoint": {key: msgspec.to_builtins(getattr(read, key)) for key in _OF_THE_FILE},
            "fits": list(audit.fits),
            "models": models,
            "findings": list(map(told, msgspec.to_builtins(audit.findings))),
            **({"error": list(audit.explained)} if audit.explained else {}),
        }
    )
