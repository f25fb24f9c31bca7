"""For GitHub Actions: annotations on the changed lines, as workflow commands."""

from __future__ import annotations

import re

from restore_guard.reports.shared_causes import grouped
from restore_guard.reports.wording import change, counted, migrate_commands, plain
from restore_guard.result import Finding, ModelResult, Result

ANNOTATIONS = 10
"""GitHub shows so many a step and level, and drops the rest without a word."""
MESSAGE = 4096
"""GitHub cuts a longer message."""

NOUNS = {"error": "break", "warning": "warning", "notice": "notice"}


def render(result: Result) -> str:
    """Annotations and the summary line, nothing else: no other line could be taken for a command."""
    findings = [(told.model, told.finding) for told in grouped(result.models)]
    lines = []
    for command, noun in NOUNS.items():
        chosen = [pair for pair in findings if _command(pair[1]) == command]
        more = len(chosen) - ANNOTATIONS
        for position, (model, finding) in enumerate(chosen[:ANNOTATIONS], 1):
            last = position == ANNOTATIONS and more > 0
            rest = f"\nand {counted(more, f'more {noun}')}: see the step summary" if last else ""
            lines.append(_annotation(command, model, finding, rest))
    return "\n".join([*lines, result.summary()]) + "\n"


def escape_message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    return escape_message(text).replace(":", "%3A").replace(",", "%2C")


def _command(finding: Finding) -> str | None:
    """What is ignored on purpose is not annotated again on every pull request."""
    if finding.status == "ignored":
        return None
    return finding.level if finding.status == "new" else "notice"


def _annotation(command: str, model: ModelResult, finding: Finding, rest: str) -> str:
    place = {}
    if finding.file:
        place["file"] = finding.file
        if finding.line > 0:
            place["line"] = str(finding.line)
    status = "" if finding.status == "new" else f" ({finding.status})"
    properties = place | {"title": f"restore-guard: {finding.rule} in {model.name}{status}"}
    named = ",".join(f"{key}={escape_property(plain(value))}" for key, value in properties.items())
    rest = escape_message(rest)
    return f"::{command} {named}::{_cut(escape_message(_message(finding)), MESSAGE - len(rest))}{rest}"


def _message(finding: Finding) -> str:
    """Lines in the order in which a person needs them."""
    said = [finding.message, *finding.effects]
    if finding.fix:
        said.append(f"Fix: {finding.fix}")
    if finding.accept:
        said.append(f"Accept: {finding.accept}")
        said.append(f"Or: {', then '.join(migrate_commands(finding))}")
    return "\n".join(filter(None, [change(finding), *map(plain, said)]))


def _cut(escaped: str, length: int) -> str:
    """Never cuts through the middle of an escape sequence."""
    return escaped if len(escaped) <= length else re.sub(r"%.?$", "", escaped[: length - 1]) + "…"
