"""A rehearsed move as one file to keep or to send."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from restore_guard.rehearsal import Upgrade
from restore_guard.reports import html_page, html_report, rehearsed, wording
from restore_guard.reports.html_page import Page, table, text
from restore_guard.result import ModelResult

SIDES = ("Saved by today's versions", "In the model of the others")


def render(upgrade: Upgrade) -> str:
    """The page."""
    moves = "".join(f"<li>{text(rehearsed.heading(n, move))}</li>" for n, move in enumerate(upgrade.moves, 1))
    lines = f"<p>{text(rehearsed.summary(upgrade))}</p>", f"<ul>{moves}</ul>"
    title = f"restore-guard: {upgrade.verdict}"
    page = Page(title, upgrade.verdict, "What a move to other versions would do", lines, SIDES)
    parts = {"Moves": [_matrix(upgrade)]}
    for number, move in enumerate(upgrade.moves, 1):
        parts[f"{number}: {move.name}"] = list(_pieces(upgrade, number - 1))
    return html_page.render(page, parts, list(_models(upgrade)))


def _matrix(upgrade: Upgrade) -> str:
    rows = [
        [
            f"<code>{text(each.model)}</code>",
            f"<code>{text(each.path)}</code>",
            *(f'<b class="{cell.state}">{text(cell.words)}</b>' for cell in each.cells),
        ]
        for each in rehearsed.rows(upgrade)
    ]
    head = ["Model", "Restore path", *(str(number + 1) for number in range(len(upgrade.moves)))]
    return table(head, rows) if rows else ""


def _pieces(upgrade: Upgrade, number: int) -> Iterator[str]:
    move = upgrade.moves[number]
    if move.failure is not None:
        yield f"<pre>{chr(10).join(map(text, move.failure.splitlines()))}</pre>"
        return
    told = list(rehearsed.details(upgrade, number))
    if same := "".join(f"<li>{text(item)}</li>" for item in told if isinstance(item, str)):
        yield f"<ul>{same}</ul>"
    if models := tuple(item for item in told if not isinstance(item, str)):
        result = rehearsed.result(move, models)
        yield html_report.models_table(wording.told(result.models))
        for pieces in html_report.about(result).values():
            yield from pieces


def _models(upgrade: Upgrade) -> Iterator[ModelResult]:
    """Those of all moves, each with the number of its move."""
    for number, move in enumerate(upgrade.moves, 1):
        for model in move.models:
            yield msgspec.structs.replace(model, name=f"{number}: {model.name}")
