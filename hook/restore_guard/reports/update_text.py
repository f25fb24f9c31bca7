"""What `update` did, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from restore_guard.commands.renewing import Updated
from restore_guard.reports import text_report
from restore_guard.reports.wording import plain

_MARKS = {"written": "written", "unchanged": "current", "refused": "refused", "failed": "failed"}


def render(done: Sequence[Updated], *, color: bool, width: int) -> str:
    """Returns a line a model, the findings of what was refused or accepted, and what to do next."""
    lines = []
    for item in done:
        lines.append(f"{_MARKS[item.state]:9}{plain(item.name)}: {plain(item.message)}")
        lines += [f"{'':9}! {plain(note)}" for note in item.notes]
        if item.findings:
            lines.append(text_report.render_findings(item.findings, color=color, width=width))
        if item.detail:
            lines += [f"    {plain(line)}" for line in item.detail.splitlines()[-12:]]
    return "\n".join(lines) + "\n"
