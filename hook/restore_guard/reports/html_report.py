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
    return page(result.verdict, headline, [f"<p>{safe(result.summary())}</p>", _compared(result), *body(result)])


def body(result: Result) -> list[str]:
    """The models of a result, what was found about them, and the notes."""
    return [_table(wording.told(result.models)), *map(_finding, grouped(result.models)), _notes(result)]


def page(verdict: str, headline: str, parts: Iterable[str]) -> str:
    """A page of these parts."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>restore-guard: {verdict}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, [f"<h1>{escape(headline)}</h1>", *parts]))
        + "\n</body>\n</html>\n"
    )


def _compared(result: Result) -> str:
    base = f"<code>{safe(result.base)}</code>" if result.base else "no base"
    return f"<p>{base} → <code>{safe(result.head)}</code></p>"


def _table(models: list[ModelResult]) -> str:
    """Models × restore paths."""
    if not models:
        return ""
    paths, behaviour = wording.columns(models)
    rows = [row("th", ["Model", "Verdict", *map(safe, paths), *(["Outputs"] if behaviour else [])])]
    for model in models:
        verdict = ", ".join([f'<b class="{model.verdict}">{model.word}</b>', *wording.remarks(model)])
        cells = [f"<code>{safe(model.name)}</code>", verdict, *(_outcome(model.restores.get(path)) for path in paths)]
        rows.append(row("td", [*cells, *([_outputs(model)] if behaviour else [])]))
    return f"<table>\n{''.join(rows)}</table>"


def row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>\n"


def _outcome(path: PathResult | None) -> str:
    if path is None:
        return ""
    state = wording.state(path)
    return f'<b class="{state}">{state}</b>: {safe(wording.consequence(path))}'


def _outputs(model: ModelResult) -> str:
    if (outputs := wording.outputs(model)) is None:
        return ""
    state, sentences = outputs
    return safe(f"{state}: {'; '.join(sentences)}")


def _finding(told: Told) -> str:
    model, finding = told.model, told.finding
    status = "" if finding.status == "new" else f" ({finding.status})"
    kind = finding.level if finding.status == "new" else "other"
    parts = [f"<h2>{finding.level}: <code>{safe(finding.rule)}</code> in <code>{safe(model.name)}</code>{status}</h2>"]
    if place := wording.location(finding):
        parts.append(f"<p><code>{safe(place)}</code></p>")
    if wording.change(finding):
        cells = [
            wording.NOTHING if name is None else f"<code>{safe(name)}</code>" for name in (finding.old, finding.new)
        ]
        parts.append(f"<table>\n{row('th', ['Saved', 'Now'])}{row('td', cells)}</table>")
    parts.append(f"<p>{safe(finding.message)}</p>")
    if finding.effects:
        parts.append(f"<ul>{''.join(f'<li>{safe(effect)}</li>' for effect in finding.effects)}</ul>")
    if finding.fix:
        parts.append(f"<p><b>Fix:</b> {safe(finding.fix)}</p>")
    if finding.suggestion is not None:
        diff = escape("\n".join(wording.suggested(finding)))
        parts.append(f"<p><b>Tried:</b> {safe(finding.suggestion.outcome)}</p>\n<pre>{diff}</pre>")
    if finding.accept:
        parts.append(f"<p>To accept it on purpose:</p>\n<pre>{safe(finding.accept)}</pre>")
    if told.others:
        summary, said = fold_out(told)
        items = "".join(f"<li><code>{safe(name)}</code>: {safe(message)}</li>" for name, message in said)
        parts.append(f"<details><summary>{summary}</summary><ul>{items}</ul></details>")
    return f'<article class="{kind}">\n' + "\n".join(parts) + "\n</article>"


def _notes(result: Result) -> str:
    notes = wording.notes(result)
    return f"<ul>{''.join(f'<li>{safe(note)}</li>' for note in notes)}</ul>" if notes else ""


def safe(text: str) -> str:
    """A name or a sentence, whatever is in it."""
    return escape(plain(text))
