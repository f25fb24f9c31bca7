"""What `doctor` found, one line each."""

from __future__ import annotations

import click

from restore_guard.commands.doctor import Finding
from restore_guard.reports.wording import plain

_COLORS = {"ok": "green", "problem": "red", "unchecked": "yellow"}


def render(finding: Finding, *, color: bool) -> str:
    state = f"{finding.state:9}"
    said = f"{plain(finding.subject)}: {plain(finding.said)}"
    advice = f" To do: {plain(finding.advice)}" if finding.advice else ""
    return f"{click.style(state, fg=_COLORS[finding.state]) if color else state} {said}{advice}"
