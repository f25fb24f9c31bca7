"""A page in one file: its style, its script and its data are in it, and nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from importlib import resources
from typing import Any

import msgspec

from restore_guard.reports import wording
from restore_guard.reports.fates import FATES
from restore_guard.reports.tree import flat, tree
from restore_guard.result import ModelResult, Row, Seen
from restore_guard.rules.shared.words import sizes

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{style_hash}'; script-src '{hash}'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
KINDS = {kind: number for number, kind in enumerate(FATES)}


class Page(msgspec.Struct, frozen=True):
    """What stands at the head of a page.

    Attributes:
        lines: HTML.
        sides: what the columns of the tree are called.
    """

    title: str
    verdict: str
    headline: str
    lines: Sequence[str]
    sides: tuple[str, str]


def render(page: Page, parts: Mapping[str, Sequence[str]], models: Sequence[ModelResult]) -> str:
    """The page; parts without content are left out, and the variables of models that have none.

    Args:
        parts: {title: pieces of HTML}; what is said before the variables.
    """
    style, script = _file("style.css"), _file("variables.js")
    shown = [model for model in models if model.table]
    said = {title: content for title, pieces in parts.items() if (content := [*filter(None, pieces)])}
    explorer = [_file("variables.html"), _data(shown, page.sides), f"<script>{script}</script>"] if shown else []
    body = [
        f'<header>\n<h1 class="{page.verdict}">{escape(page.headline)}</h1>',
        *page.lines,
        _contents([*said], variables=bool(shown)),
        "</header>\n<main>",
        *(_section(number, title, pieces) for number, (title, pieces) in enumerate(said.items(), 1)),
        *explorer,
        "</main>",
    ]
    return PAGE.format(
        title=text(page.title), style=style, style_hash=_hash(style), hash=_hash(script), body="\n".join(body)
    )


def text(words: str) -> str:
    """Text for HTML, harmless whatever a name under review contains."""
    return escape(wording.plain(words))


def _section(number: int, title: str, pieces: Iterable[str]) -> str:
    head = f'<section aria-labelledby="part-{number}">\n<h2 id="part-{number}">{text(title)}</h2>'
    return "\n".join([head, *pieces, "</section>"])


def _contents(titles: Sequence[str], *, variables: bool) -> str:
    """Where to jump to: what comes last may be far below."""
    places = {f"part-{number}": title for number, title in enumerate(titles, 1)}
    places |= {"variables": "Variables"} if variables else {}
    links = "".join(f'<li><a href="#{place}">{text(title)}</a></li>' for place, title in places.items())
    return f'<nav aria-label="Parts of the page"><ul>{links}</ul></nav>' if len(places) > 1 else ""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML."""
    lines = [_row("th", head), *(_row("td", row) for row in rows)]
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>\n{"".join(lines)}</table></div>'


def _row(tag: str, cells: Iterable[str]) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    return f"<tr>{''.join(f'<{tag}{scope}>{cell}</{tag}>' for cell in cells)}</tr>\n"


def _data(models: Sequence[ModelResult], sides: tuple[str, str]) -> str:
    """What the script draws, in ASCII; no `<` in it can end the element."""
    fates = [(known.word, known.tone, known.sentence) for known in FATES.values()]
    known = {"sides": sides, "fates": fates, "models": list(map(_model, models))}
    content = json.dumps(known, separators=(",", ":")).replace("<", r"\u003c").replace("##[", r"#\u0023[")
    return f'<script type="application/json" id="data">{content}</script>'


def _model(model: ModelResult) -> dict[str, Any]:
    plain = cache(wording.plain)
    paths = list(model.restores)

    def part(name: str | None) -> str | None:
        return name if name is None else plain(name)

    def side(seen: Seen) -> list[str]:
        where = f"{seen.file}:{seen.line}" if seen.line else seen.file
        return [plain(seen.path), sizes(seen.shape), plain(seen.dtype), plain(seen.owner or ""), plain(where)]

    def row(row: Row) -> list[Any]:
        saved, now = (seen and side(seen) for seen in (row.saved, row.now))
        got = {plain(path): plain(name) for path, name in row.got.items()}
        fates = [KINDS[row.fates[path]] if path in row.fates else -1 for path in paths] if row.fates else []
        same = saved is not None and saved == now
        return _short([saved, 1 if same else now, fates, got, list(map(plain, row.near))])

    nodes = [
        [depth, part(node.old), part(node.new), node.like, -1 if node.row is None else node.row]
        for depth, node in flat(tree(model.table))
    ]
    return {
        "name": plain(model.name),
        "paths": list(map(plain, paths)),
        "nodes": nodes,
        "rows": list(map(row, model.table)),
    }


def _short(row: list[Any]) -> list[Any]:
    while row and row[-1] in ([], {}):
        row.pop()
    return row


def _file(name: str) -> str:
    return (resources.files(__package__) / "page" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """As a browser computes it to tell what belongs to the page."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
