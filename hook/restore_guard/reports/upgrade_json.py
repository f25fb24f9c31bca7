"""A rehearsed move, for programs: schema 1, its models as in the report of `check`."""

from __future__ import annotations

import msgspec

from restore_guard.rehearsal import Upgrade
from restore_guard.reports.json_report import models
from restore_guard.result_json import encode


def render(upgrade: Upgrade) -> str:
    document = {"schema": 1, "verdict": upgrade.verdict} | msgspec.to_builtins(upgrade)
    for told, move in zip(document["moves"], upgrade.moves, strict=True):
        told["models"] = models(move.models)
    return encode(document)
