"""`explain`: all that a rule's module says, and what was measured of its example, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

import msgspec

from restore_guard.reports import wording
from restore_guard.restore_paths import situations
from restore_guard.result import PathResult
from restore_guard.rules.shared.measured import Measurements, Seen, measurements
from restore_guard.rules.shared.rule import Rule


def render(rule: Rule) -> str:
    """Returns the explanation as text, 100 columns wide."""
    example, measured = rule.example, measurements()
    mine = measured.rules.get(rule.name)
    lines = [f"{rule.name} ({rule.level} by default)", "", _wrap(rule.meaning), "", _wrap(rule.why), ""]
    if example.before:
        lines += ["The smallest change that causes it:", f"    - {example.before}", f"    + {example.after}", ""]
    elif mine is not None:
        lines += ["The smallest change that causes it:", *(f"    {line}" for line in mine.change), ""]
    if mine is not None:
        lines += [*effects(measured, rule.name), ""]
    if rule.explains is not None:
        lines += [_wrap(situations.JUDGED), ""]
    lines += ["How to fix it:", _wrap(f"{rule.fix} {rule.lenient}".strip(), "    "), "", "How to accept it:"]
    lines += ['    restore-guard update NAME --accept-break "why old checkpoints need not restore"']
    quieter = "off" if (rule.breaking or rule.level) == "warning" else "warning"
    lines += [f'    or, in the configuration: rules = {{ {rule.name} = "{quieter}" }}', ""]
    return "\n".join(lines)


def effects(measured: Measurements, rule: str) -> Iterator[str]:
    """What each restore path did with the example of a rule."""
    outcomes = measured.rules[rule].outcomes
    columns = {column: None for seen in outcomes.values() for column in seen}
    versions = "; ".join(measured.columns[name] for name in columns)
    yield _wrap(f"What each restore path does with it, measured with {versions}:")
    for path, seen in outcomes.items():
        yield from _path(path, seen)


def _path(path: str, seen: Mapping[str, Seen]) -> Iterator[str]:
    said = {column: wording.consequence(PathResult(**msgspec.structs.asdict(each))) for column, each in seen.items()}
    if len(set(said.values())) == 1:
        said = {" and ".join(said): next(iter(said.values()))}
    yield f"    {path}"
    for column, words in said.items():
        yield _wrap(f"{column}: {words}", "      ", "        ")


def _wrap(text: str, indent: str = "", more: str | None = None) -> str:
    further = indent if more is None else more
    return textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=further, break_on_hyphens=False)
