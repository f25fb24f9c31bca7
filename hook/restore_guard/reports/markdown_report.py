"""For GitHub's step summary and for a comment on a pull request: old beside new."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from restore_guard.reports import diagram, wording
from restore_guard.reports.shared_causes import Told, fold_out, grouped
from restore_guard.reports.wording import counted, plain
from restore_guard.result import ModelResult, PathResult, Result

ROOM = 900 * 1024
"""Bytes. GitHub drops all of a summary that is larger than 1 MiB."""
SHARE = 4
"""The table, the notes and the diagrams may each take a fourth of the room; the findings get the rest."""
DIAGRAMS = 5

HEADLINES = {
    "restores": "✅ Every checkpoint that was promised still restores",
    "restores, manifest stale": "❌ Every checkpoint that was promised still restores, but a manifest is stale",
    "restores, manifest missing": "❌ Every checkpoint that was promised still restores, but a manifest is missing",
    "restores, rollback broken": "❌ Every checkpoint that was promised still restores, but there is no way back",
    "manifest missing": "❌ A model has no manifest",
    "not as it must be": "❌ Every checkpoint that could be judged still restores, but not all is as it must be",
    "not built, manifest stale": "❌ A model could not be built, and its manifest is stale",
    "not built, manifest missing": "❌ A model could not be built, and it has no manifest",
    "breaks": "❌ Checkpoints saved before this change no longer restore",
    "unchecked": "⚠️ Not everything could be checked",
}
ICONS = {
    "restores": "✅",
    "breaks": "❌",
    "unchecked": "⚠️",
    "unaffected": "➖",
    "partial": "❌",
    "misplaced": "❌",
    "raises": "❌",
    "unsupported": "➖",
    "same": "✅",
    "differ": "⚠️",
    "not compared": "➖",
    "error": "❌",
    "warning": "⚠️",
}


def render(result: Result, room: int = ROOM) -> str:
    """The report; what does not fit into `room` bytes is dropped from the end, and counted."""
    headline = HEADLINES[result.word if result.models else "unchecked"]
    return f"## {headline}\n\n{body(result, room)}"


def body(result: Result, room: int = ROOM) -> str:
    """The report below its headline."""
    parts = [f"{result.summary()}\n"]
    parts += [part(result, room // SHARE) for part in (_table, _notes, _diagrams)]
    room -= sum(len(part.encode()) for part in parts)
    findings = grouped(result.models)
    shown = _fitting((_finding(told) for told in findings), room)
    parts += shown
    if len(shown) < len(findings):
        parts.append(f"… and {counted(len(findings) - len(shown), 'more finding')}.\n")
    return "\n".join(filter(None, parts))


def _fitting(blocks: Iterable[str], room: int) -> list[str]:
    """The first blocks that together take no more than `room` bytes; none after them is made."""
    fitting = []
    for block in blocks:
        room -= len(block.encode()) + 1
        if room < 0:
            break
        fitting.append(block)
    return fitting


def _table(result: Result, room: int) -> str:
    """Models × restore paths."""
    models = wording.told(result.models)
    if not models:
        return ""
    paths, behaviour = wording.columns(models)
    columns = ["Model", "Verdict", *map(code, paths), *(["Outputs"] if behaviour else [])]
    head = f"{row(columns)}{row(['---'] * len(columns))}"
    rows = [
        row(
            [
                code(model.name),
                ", ".join([f"{ICONS[model.verdict]} **{model.word}**", *wording.remarks(model)]),
                *(_outcome(model.restores.get(path)) for path in paths),
                *([_outputs(model)] if behaviour else []),
            ]
        )
        for model in models
    ]
    shown = _fitting([head, *rows], room)[1:]
    table = "".join([head, *shown]) if shown else ""
    if len(shown) < len(rows):
        table += f"\n… and {counted(len(rows) - len(shown), 'more model')}.\n"
    return table


def row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |\n"


def _outcome(path: PathResult | None) -> str:
    if path is None:
        return ""
    state = wording.state(path)
    return f"{ICONS[state]} **{state}**: {prose(wording.consequence(path))}"


def _outputs(model: ModelResult) -> str:
    if (outputs := wording.outputs(model)) is None:
        return ""
    state, sentences = outputs
    return f"{ICONS[state]} **{state}**: {prose('; '.join(sentences))}"


def _notes(result: Result, room: int) -> str:
    notes = [f"- {prose(note)}\n" for note in result.notes]
    notes += [f"- {code(model.name)}: {prose(note)}\n" for model in result.models for note in model.notes]
    shown = _fitting(notes, room)
    if len(shown) < len(notes):
        shown = [*shown, f"- … and {counted(len(notes) - len(shown), 'more note')}.\n"]
    return "".join(shown)


def _diagrams(result: Result, room: int) -> str:
    """Of the first models that break; the findings tell of the others."""
    drawn = ((model, diagram.render(model)) for model in result.models if model.verdict == "breaks")
    blocks = (f"What changed in {code(model.name)}:\n\n```mermaid\n{text}```\n" for model, text in drawn if text)
    return "\n".join(_fitting(itertools.islice(blocks, DIAGRAMS), room))


def _finding(told: Told) -> str:
    model, finding = told.model, told.finding
    icon, status = (ICONS[finding.level], "") if finding.status == "new" else ("ℹ️", f" ({finding.status})")
    blocks = [f"### {icon} {finding.level}: {code(finding.rule)} in {code(model.name)}{status}"]
    if wording.change(finding):
        cells = [wording.NOTHING if name is None else code(name) for name in (finding.old, finding.new)]
        blocks.append(f"{row(['Saved', 'Now'])}{row(['---', '---'])}{row(cells)}".rstrip())
    items = [f"- {prose(sentence)}" for sentence in (finding.message, *finding.effects) if sentence]
    if place := wording.location(finding):
        items.append(f"- **Where:** {code(place)}")
    if finding.fix:
        items.append(f"- **Fix:** {prose(finding.fix)}")
    if finding.suggestion is not None:
        items.append(f"- **Tried:** {prose(finding.suggestion.outcome)}")
    blocks += ["\n".join(items)] if items else []
    if finding.suggestion is not None:
        blocks.append(_fenced("suggestion", finding.suggestion.replacement))
        blocks.append(_fenced("diff", "\n".join(wording.suggested(finding))))
    if finding.accept:
        blocks.append(f"To accept it on purpose:\n\n{_fenced('sh', plain(finding.accept))}")
    if told.others:
        summary, said = fold_out(told)
        listed = "\n".join(f"- {code(plain(name, 100))}: {prose(message)}" for name, message in said)
        blocks.append(f"<details><summary>{summary}</summary>\n\n{listed}\n\n</details>")
    return "\n\n".join(blocks) + "\n"


def _fenced(kind: str, text: str) -> str:
    """A block of code, which no backticks in it can end."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{kind}\n{text}\n{fence}"


def code(name: str) -> str:
    """A name. Not between backticks, where neither a backtick nor, in a table, a pipe could be escaped."""
    return f"<code>{_escaped(name)}</code>"


def prose(sentence: str) -> str:
    """A sentence. A decorator in it must not send a message to the person of that name."""
    return _escaped(sentence).replace("&#64;", "&#64;&#8203;")


def _escaped(text: str) -> str:
    """An underscore inside a word means nothing and stays readable in the source."""
    special = r"[\\`*\[\]<>&|#!~$@{}^]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
    return re.sub(special, lambda found: f"&#{ord(found[0])};", plain(text))
