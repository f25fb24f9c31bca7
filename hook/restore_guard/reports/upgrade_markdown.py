"""A rehearsed move, for an issue or a pull request."""

from __future__ import annotations

from restore_guard.rehearsal import Upgrade
from restore_guard.reports import markdown_report, rehearsed
from restore_guard.reports.markdown_report import ICONS, code, prose, row


def render(upgrade: Upgrade) -> str:
    """The matrix first, then what each move does."""
    parts = [f"## {prose(rehearsed.summary(upgrade))}\n", _moves(upgrade), _matrix(upgrade)]
    parts += [_detail(upgrade, number) for number in range(len(upgrade.moves))]
    return "\n".join(filter(None, parts))


def _detail(upgrade: Upgrade, number: int) -> str:
    """What is to be said of a move beyond the matrix."""
    move = upgrade.moves[number]
    said = list(rehearsed.details(upgrade, number))
    told = "".join(f"- {prose(item)}\n" for item in said if isinstance(item, str))
    if move.failure is not None:
        told = f"{prose(move.failure)}\n"
    models = tuple(item for item in said if not isinstance(item, str))
    if models:
        told += "\n" * bool(told) + markdown_report.body(rehearsed.result(move, models))
    return f"### {number + 1}: {code(move.name)}\n\n{told}" if told else ""


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
