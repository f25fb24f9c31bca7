"""For a person at a terminal, and for what pre-commit prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click
import msgspec

from restore_guard.reports import wording
from restore_guard.reports.shared_causes import Told, grouped
from restore_guard.reports.wording import counted, listed, plain
from restore_guard.result import Finding, ModelResult, PathResult, Result

FINDINGS = 20
"""More findings of one model are counted."""
NAMES = 4
"""More variables of one restore path are counted."""
NARROWEST = 24
"""Text is never wrapped narrower than this, however long the name in front of it."""

Style = Mapping[str, Any]
"""Arguments of `click.style`."""

SILENT = {"fg": "white", "bg": "red", "bold": True}
BAD = {"fg": "red", "bold": True}
UNSURE = {"fg": "yellow", "bold": True}
GOOD = {"fg": "green"}
STRONG = {"bold": True}
QUIET = {"dim": True}

LOOKS: dict[str, tuple[str, Style]] = {
    "restores": ("✓", GOOD),
    "breaks": ("✗", BAD),
    "unchecked": ("?", UNSURE),
    "unaffected": ("-", QUIET),
    "partial": ("!", SILENT),
    "misplaced": ("!", SILENT),
    "raises": ("✗", BAD),
    "unsupported": ("-", QUIET),
    "same": ("✓", GOOD),
    "differ": ("!", UNSURE),
    "not compared": ("-", QUIET),
}


def render(result: Result, *, color: bool = False, width: int = 80, brief: bool = False) -> str:
    """The report; paths, variables and commands stay whole even where they are wider than `width`.

    Args:
        brief: names no model of which there is nothing to say but that it restores, as for a hook that passes.
    """
    page = _Page(color, width)
    lines: list[str] = []
    causes = grouped(result.models)
    for model in wording.told(result.models):
        if brief and model.verdict == "restores" and not (wording.ranked([model]) or model.notes):
            continue
        lines += [*_model(page, model, causes), ""]
    if result.notes:
        lines += [line for note in result.notes for line in page.wrapped("note: ", plain(note))] + [""]
    return "\n".join([*lines, page.paint(result.summary(), STRONG)]) + "\n"


def render_model(model: ModelResult, *, color: bool = False, width: int = 80) -> str:
    """One model alone, as `audit` shows those that a file may be of."""
    return "\n".join(_model(_Page(color, width), model, grouped([model])))


def render_findings(findings: Sequence[Finding], *, color: bool = False, width: int = 80) -> str:
    """Findings alone, as `update` shows what it refuses to absorb."""
    return "\n\n".join("\n".join(block) for block in _findings(_Page(color, width), findings))


class _Page(msgspec.Struct, frozen=True):
    color: bool
    width: int

    def paint(self, text: str, style: Style) -> str:
        return click.style(text, **style) if self.color else text

    def wrapped(self, lead: str, text: str, painted: str | None = None) -> list[str]:
        """`text` after `lead`, its further lines below its first; `painted` is `lead` with colours."""
        lines = textwrap.wrap(
            text,
            max(self.width - len(lead), NARROWEST),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
        return [(painted or lead) + lines[0], *(" " * len(lead) + line for line in lines[1:])]


def _model(page: _Page, model: ModelResult, causes: Sequence[Told]) -> Iterator[str]:
    mark, style = LOOKS[model.verdict]
    variables = [counted(model.variables, "variable")] if model.variables else []
    remarks = ", ".join([*variables, *wording.remarks(model)])
    name = page.paint(plain(model.name), STRONG)
    yield f"{page.paint(mark, style)} {name}: {page.paint(model.word, style)}{remarks and f' ({remarks})'}"

    rows = [
        (
            plain(name),
            wording.state(path),
            [wording.consequence(path), *_variables(path), *filter(None, [wording.migration(path)])],
        )
        for name, path in model.restores.items()
    ]
    if (outputs := wording.outputs(model)) is not None:
        state, sentences = outputs
        rows.append(("outputs", state, [plain(sentence) for sentence in sentences]))
    name_width = max((len(name) for name, _, _ in rows), default=0)
    state_width = max((len(state) for _, state, _ in rows), default=0)
    for name, state, sentences in rows:
        mark, style = LOOKS[state]
        lead = f"  {mark} {name:{name_width}}  {state:{state_width}}  "
        space = " " * (state_width - len(state) + 2)
        painted = f"  {page.paint(mark, style)} {name:{name_width}}  {page.paint(state, style)}{space}"
        yield from page.wrapped(lead, sentences[0], painted)
        for sentence in sentences[1:]:
            yield from page.wrapped(" " * len(lead), sentence)

    for note in model.notes:
        yield from page.wrapped("  note: ", plain(note))
    for block in _findings(page, [told.finding for told in causes if told.model is model]):
        yield ""
        yield from block
    shared = [(finding, told.model) for told in causes for other, finding in told.others if other is model]
    for finding, first in shared[:FINDINGS]:
        lead = f"{wording.location(finding)}: {finding.level}: {plain(finding.rule)}"
        yield from ["", f"  {lead}, the same as in {plain(first.name)}"]


def _variables(path: PathResult) -> list[str]:
    """Which variables a silent restore gets wrong."""
    if not wording.silent(path):
        return []
    kinds = {"initial value": path.initial, "dropped": path.unused, "misplaced": path.misplaced}
    return [f"{kind}: {listed(names, NAMES)}" for kind, names in kinds.items() if names]


def _findings(page: _Page, findings: Sequence[Finding]) -> Iterator[Iterable[str]]:
    """A block of lines a finding."""
    yield from (_finding(page, finding) for finding in findings[:FINDINGS])
    if len(findings) > FINDINGS:
        yield [f"  and {counted(len(findings) - FINDINGS, 'more finding')}"]


def _finding(page: _Page, finding: Finding) -> Iterator[str]:
    place = wording.location(finding)
    level = page.paint(finding.level, BAD if finding.fails else UNSURE if finding.status == "new" else QUIET)
    status = "" if finding.status == "new" else f" ({finding.status})"
    yield f"  {f'{page.paint(place, STRONG)}: ' if place else ''}{level}: {plain(finding.rule)}{status}"
    yield from _saved_and_now(page, finding)
    yield from page.wrapped("    ", plain(finding.message))
    for effect in finding.effects:
        yield from page.wrapped("    - ", plain(effect))
    if finding.fix:
        yield from page.wrapped("    fix:    ", plain(finding.fix))
    if finding.suggestion is not None:
        yield from page.wrapped("    tried:  ", plain(finding.suggestion.outcome))
        yield from (f"            {line}" for line in wording.suggested(finding))
    if finding.accept:
        yield f"    accept: {plain(finding.accept)}"
        write, carry = wording.migrate_commands(finding)
        yield f"    or:     {write}"
        yield f"    then:   {carry}"


def _saved_and_now(page: _Page, finding: Finding) -> list[str]:
    """Two columns side by side, or one below the other where they are too wide."""
    if not wording.change(finding):
        return []
    old, new = wording.old(finding), wording.new(finding)
    column = max(len(old), len("saved"))
    if len("    ") + column + len("  →  ") + len(new) > page.width:
        return [f"    saved   {old}", f"    now   → {new}"]
    return [page.paint(f"    {'saved':{column}}     now", QUIET), f"    {old:{column}}  →  {new}"]
