"""A rehearsed move, for an issue or a pull request."""

from __future__ import annotations

from restore_guard.rehearsal import Upgrade
from restore_guard.reports import markdown_report, rehearsed
from restore_guard.reports.markdown_report import ICONS, code, prose, row


def render(upgrade: Upgrade) -> str:
    """The matrix first, then what each move does."""
    parts = [f"## {prose(rehearsed.summary(upgrade))}\n", _moves(upgrade), _matrix(upgrade)]
    for number, move in enumerate(upgrade.moves, 1):
        if move.failure is not None:
            parts.append(f"### {number}: {code(move.name)}\n\n{prose(move.failure)}\n")
        elif move.verdict != "restores" or any(model.findings for model in move.models):
            parts.append(f"### {number}: {code(move.name)}\n\n{markdown_report.body(rehearsed.result(move))}")
    return "\n".join(filter(None, parts))


def _moves(upgrade: Upgrade) -> str:
    return "".join(f"- {prose(rehearsed.heading(number, move))}\n" for number, move in enumerate(upgrade.moves, 1))


def _matrix(upgrade: Upgrade) -> str:
    """Models and restore paths × moves."""
    rows = rehearsed.rows(upgrade)
    if not rows:
        return ""
    head = ["Model", "Restore path", *(str(number + 1) for number in range(len(upgrade.moves)))]
    body = [
        row([code(each.model), code(each.path), *(f"{ICONS[cell.state]} {cell.words}" for cell in each.cells)])
        for each in rows
    ]
    return "".join([row(head), row(["---"] * len(head)), *body])
