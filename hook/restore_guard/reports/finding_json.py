"""Where in history a checkpoint file belongs, for programs: schema 1."""

from __future__ import annotations

import msgspec

from restore_guard.commands.finding import Found
from restore_guard.result_json import encode


def render(found: Found) -> str:
    read = found.checkpoint
    document = {"file": read.file, "format": read.format, "state": read.state, "damage": list(read.damage)}
    return encode(
        {
            "schema": 1,
            "checkpoint": document,
            "places": msgspec.to_builtins(found.places),
            "nearest": found.nearest,
        }
    )
