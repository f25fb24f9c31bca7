"""What `init` found and would write, for programs."""

from __future__ import annotations

from typing import Any

import msgspec

from restore_guard.commands import promising
from restore_guard.commands.init import Plan
from restore_guard.commands.setup_files import table_of
from restore_guard.commands.survey import Survey
from restore_guard.reports.init_text import by_hand


def render(found: Survey, proposed: Plan | None, *, written: bool, install: str | None) -> str:
    """One JSON object: models, what is left out and why, files with the lines that are new.

    Args:
        proposed: None where there is nothing to write.
        written: whether it was written.
    """
    models = [
        {
            "name": model.name,
            "target": model.candidate.target,
            "variables": model.variables,
            "shown_at": model.attempt.place or None,
            "values": list(model.attempt.notes),
            "configuration": table_of(promising.entry(found, model)),
            "promises": list(promising.promised(found, model)),
            "calls": [
                {"at": f"{call.file}:{call.line}", "call": call.what, "path": call.path, "unknown": list(call.unknown)}
                for call in promising.habit_of(found, model).calls
            ],
        }
        for model in found.usable
    ]
    left_out = [
        {
            "name": model.name,
            "target": model.candidate.target,
            "why": model.build.failure,
            "package": model.lacks,
            "by_hand": by_hand(model),
        }
        for model in found.unusable
    ]
    document: dict[str, Any] = {
        "python": str(found.python.path),
        "models": models,
        "left_out": left_out,
        "missing": found.missing,
        "install": install if found.missing else None,
        "files": [
            {"path": file.path, "new": file.before is None, "added": file.added}
            for file in (proposed.files if proposed is not None else ())
        ],
        "manifests": list(proposed.manifests) if proposed is not None else [],
        "left_to_do": list(proposed.by_hand) if proposed is not None else [],
        "written": written,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
