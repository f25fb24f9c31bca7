"""One file to keep or to send: a page with its style in it, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from restore_guard.reports import wording
from restore_guard.reports.markdown_report import HEADLINES
from restore_guard.reports.shared_causes import Told, fold_out, grouped
from restore_guard.reports.wording import plain
from restore_guard.result import ModelResult, PathResult, Result

STYLE = """\
:root { color-scheme: light dark; --line: #d0d7de; --soft: #f6f8fa; --bad: #cf222e; --unsure: #9a6700; --good: #1a7f37 }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --soft: #151b23; --bad: #f85149; --unsure: #d29922; --good: #3fb950 }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 0 }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top }
code, pre { font: .9em ui-monospace, monospace; overflow-wrap: anywhere }
pre { background: var(--soft); padding: .6rem; white-space: pre-wrap }
article { border: 1px solid var(--line); border-left: .3rem solid var(--line); margin: 1rem 0; padding: .8rem 1rem }
article.error { border-left-color: var(--bad) } article.warning { border-left-color: var(--unsure) }
.breaks, .partial, .misplaced, .raises { color: var(--bad) } .unchecked { color: var(--unsure) }
.restores { color: var(--good) }
"""


def render(result: Result) -> str:
    """The page."""
    headline = HEADLINES[result.word if result.models else "unchecked"]
    body = [
        f"<h1>{escape(headline)}</h1>",
        f"<p>{_text(result.summary())}</p>",
        _compared(result),
        _table(wording.told(result.models)),
        *map(_finding, grouped(result.models)),
        _notes(result),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>restore-guard: {result.verdict}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, body))
        + "\n</body>\n</html>\n"
    )


def _compared(result: Result) -> str:
    base = f"<code>{_text(result.base)}</code>" if result.base else "no base"
    return f"<p>{base} → <code>{_text(result.head)}</code></p>"


def _table(models: list[ModelResult]) -> str:
    """Models × restore paths."""
    if not models:
        return ""
    paths, behaviour = wording.columns(models)
    rows = [_row("th", ["Model", "Verdict", *map(_text, paths), *(["Outputs"] if behaviour else [])])]
    for model in models:
        verdict = ", ".join([f'<b class="{model.verdict}">{model.word}</b>', *wording.remarks(model)])
        cells = [f"<code>{_text(model.name)}</code>", verdict, *(_outcome(model.restores.get(path)) for path in paths)]
        rows.append(_row("td", [*cells, *([_outputs(model)] if behaviour else [])]))
    return f"<table>\n{''.join(rows)}</table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>\n"


def _outcome(path: PathResult | None) -> str:
    if path is None:
        return ""
    state = wording.state(path)
    return f'<b class="{state}">{state}</b>: {_text(wording.consequence(path))}'


def _outputs(model: ModelResult) -> str:
    if (outputs := wording.outputs(model)) is None:
        return ""
    state, sentences = outputs
    return _text(f"{state}: {'; '.join(sentences)}")


def _finding(told: Told) -> str:
    model, finding = told.model, told.finding
    status = "" if finding.status == "new" else f" ({finding.status})"
    kind = finding.level if finding.status == "new" else "other"
    parts = [
        f"<h2>{finding.level}: <code>{_text(finding.rule)}</code> in <code>{_text(model.name)}</code>{status}</h2>"
    ]
    if place := wording.location(finding):
        parts.append(f"<p><code>{_text(place)}</code></p>")
    if wording.change(finding):
        cells = [
            wording.NOTHING if name is None else f"<code>{_text(name)}</code>" for name in (finding.old, finding.new)
        ]
        parts.append(f"<table>\n{_row('th', ['Saved', 'Now'])}{_row('td', cells)}</table>")
    parts.append(f"<p>{_text(finding.message)}</p>")
    if finding.effects:
        parts.append(f"<ul>{''.join(f'<li>{_text(effect)}</li>' for effect in finding.effects)}</ul>")
    if finding.fix:
        parts.append(f"<p><b>Fix:</b> {_text(finding.fix)}</p>")
    if finding.suggestion is not None:
        diff = escape("\n".join(wording.suggested(finding)))
        parts.append(f"<p><b>Tried:</b> {_text(finding.suggestion.outcome)}</p>\n<pre>{diff}</pre>")
    if finding.accept:
        parts.append(f"<p>To accept it on purpose:</p>\n<pre>{_text(finding.accept)}</pre>")
    if told.others:
        summary, said = fold_out(told)
        items = "".join(f"<li><code>{_text(name)}</code>: {_text(message)}</li>" for name, message in said)
        parts.append(f"<details><summary>{summary}</summary><ul>{items}</ul></details>")
    return f'<article class="{kind}">\n' + "\n".join(parts) + "\n</article>"


def _notes(result: Result) -> str:
    notes = wording.notes(result)
    return f"<ul>{''.join(f'<li>{_text(note)}</li>' for note in notes)}</ul>" if notes else ""


def _text(text: str) -> str:
    return escape(plain(text))
