"""Which Pythons are kept warm, a line each."""

from __future__ import annotations

from collections.abc import Sequence

from restore_guard.building.warm import Kept
from restore_guard.reports.wording import plain


def render(found: Sequence[Kept], *, ended: bool = False) -> str:
    lines = [plain(_line(one, ended)) for one in found] or ["No Python is kept warm."]
    return "\n".join(lines) + "\n"


def _line(one: Kept, ended: bool) -> str:
    who = f"{one.python} (TensorFlow {one.versions.get('tensorflow')}, process {one.pid})"
    if ended:
        return f"ended: {who}"
    if one.changed is not None:
        return f"out of date, imports anew: {who}, since {one.changed} has changed"
    memory = f", {one.memory / 1024**2:.0f} MB" if one.memory is not None else ""
    return f"warm: {who}{memory}; ends after {one.left / 60:.1f} minutes without a check"
