"""A rehearsed move as one file to keep or to send."""

from __future__ import annotations

from restore_guard.rehearsal import Rehearsal, Upgrade
from restore_guard.reports import html_report, rehearsed
from restore_guard.reports.html_report import row, safe


def render(upgrade: Upgrade) -> str:
    """The page."""
    moves = "".join(f"<li>{safe(rehearsed.heading(n, move))}</li>" for n, move in enumerate(upgrade.moves, 1))
    body = [f"<p>{safe(rehearsed.summary(upgrade))}</p>", f"<ul>{moves}</ul>", _matrix(upgrade)]
    body += [_move(number, move) for number, move in enumerate(upgrade.moves, 1)]
    return html_report.page(upgrade.verdict, "What a move to other versions would do", body)


def _matrix(upgrade: Upgrade) -> str:
    rows = [
        row(
            "td",
            [
                f"<code>{safe(each.model)}</code>",
                f"<code>{safe(each.path)}</code>",
                *(f'<b class="{cell.state}">{safe(cell.words)}</b>' for cell in each.cells),
            ],
        )
        for each in rehearsed.rows(upgrade)
    ]
    head = row("th", ["Model", "Restore path", *(str(number + 1) for number in range(len(upgrade.moves)))])
    return f"<table>\n{head}{''.join(rows)}</table>" if rows else ""


def _move(number: int, move: Rehearsal) -> str:
    title = f"<h2>{number}: <code>{safe(move.name)}</code></h2>"
    if move.failure is not None:
        said = "\n".join(map(safe, move.failure.splitlines()))
        return f"{title}\n<pre>{said}</pre>"
    return "\n".join([title, *html_report.body(rehearsed.result(move))])
