"""One file to keep or to send: what was found, and all variables in a tree that can be searched."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from restore_guard.reports import html_page, wording
from restore_guard.reports.html_page import Page, table, text
from restore_guard.reports.markdown_report import HEADLINES
from restore_guard.reports.shared_causes import Told, fold_out, grouped
from restore_guard.result import Finding, ModelResult, PathResult, Result

SIDES = ("In old checkpoints", "In the model now")


def render(result: Result) -> str:
    """The page."""
    _, _, headline = HEADLINES[result.word if result.models else "unchecked"].partition(" ")
    base = f"<code>{text(result.base)}</code>" if result.base else "no base"
    told = wording.told(result.models)
    page = Page(
        f"restore-guard: {result.verdict}",
        result.verdict,
        headline,
        (f"<p>{text(result.summary())}</p>", f'<p class="compared">{base} → <code>{text(result.head)}</code></p>'),
        SIDES,
    )
    return html_page.render(page, {"Models": [models_table(told)], **about(result)}, told)


def about(result: Result) -> dict[str, list[str]]:
    """{title: pieces of HTML}: what was found, and the notes."""
    return {"Findings": list(map(_finding, grouped(result.models))), "Notes": notes(wording.notes(result))}


def models_table(models: Sequence[ModelResult]) -> str:
    """Models × restore paths."""
    if not models:
        return ""
    paths, behaviour = wording.columns(models)
    rows = []
    for model in models:
        verdict = ", ".join([f'<b class="{model.verdict}">{model.word}</b>', *wording.remarks(model)])
        cells = [f"<code>{text(model.name)}</code>", verdict, *(_outcome(model.restores.get(path)) for path in paths)]
        rows.append([*cells, *([_outputs(model)] if behaviour else [])])
    return table(["Model", "Verdict", *map(text, paths), *(["Outputs"] if behaviour else [])], rows)


def _outcome(path: PathResult | None) -> str:
    if path is None:
        return ""
    state = wording.state(path)
    migration = wording.migration(path)
    return f'<b class="{state}">{state}</b>: {text(wording.consequence(path))}{migration and f"<br>{text(migration)}"}'


def _outputs(model: ModelResult) -> str:
    if (outputs := wording.outputs(model)) is None:
        return ""
    state, sentences = outputs
    return text(f"{state}: {'; '.join(sentences)}")


def _finding(told: Told) -> str:
    """A finding, and of which other models it is told as well."""
    others = ""
    if told.others:
        summary, said = fold_out(told)
        items = "".join(f"<li><code>{text(name)}</code>: {text(message)}</li>" for name, message in said)
        others = f"<details><summary>{summary}</summary><ul>{items}</ul></details>"
    return article(told.finding, f" in <code>{text(told.model.name)}</code>", others)


def article(finding: Finding, where: str = "", more: str = "") -> str:
    """One finding; `where` and `more` are HTML."""
    status = "" if finding.status == "new" else f" ({finding.status})"
    kind = finding.level if finding.status == "new" else "other"
    parts = [f"<h3>{finding.level}: <code>{text(finding.rule)}</code>{where}{status}</h3>"]
    if place := wording.location(finding):
        parts.append(f'<p class="place"><code>{text(place)}</code></p>')
    if wording.change(finding):
        names = (finding.old, finding.new)
        cells = [wording.NOTHING if name is None else f"<code>{text(name)}</code>" for name in names]
        parts.append(table(["Saved", "Now"], [cells]))
    parts.append(f"<p>{text(finding.message)}</p>")
    if finding.effects:
        parts.append(f"<ul>{''.join(f'<li>{text(effect)}</li>' for effect in finding.effects)}</ul>")
    if finding.fix:
        parts.append(f"<p><b>Fix:</b> {text(finding.fix)}</p>")
    if finding.suggestion is not None:
        diff = escape("\n".join(wording.suggested(finding)))
        parts.append(f"<p><b>Tried:</b> {text(finding.suggestion.outcome)}</p>\n<pre>{diff}</pre>")
    if finding.accept:
        parts.append(f"<p>To accept it on purpose:</p>\n<pre>{text(finding.accept)}</pre>")
    return f'<article class="{kind}">\n' + "\n".join(filter(None, [*parts, more])) + "\n</article>"


def notes(sentences: Sequence[str]) -> list[str]:
    """A list of them; nothing where there are none."""
    items = "".join(f"<li>{text(note)}</li>" for note in sentences)
    return [f"<ul>{items}</ul>"] if sentences else []
