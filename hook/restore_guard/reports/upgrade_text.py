"""A rehearsed move, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from restore_guard.rehearsal import Upgrade
from restore_guard.reports import rehearsed, text_report
from restore_guard.reports.rehearsed import Row
from restore_guard.reports.text_report import LOOKS
from restore_guard.reports.wording import plain


def render(upgrade: Upgrade, *, color: bool, width: int) -> str:
    """Returns the matrix of models, restore paths and moves, what each move does in detail, and the last line."""
    blocks = [f"What checkpoints saved today ({rehearsed.versions(upgrade.today)}) would do after:"]
    blocks.append("\n".join(f"  {rehearsed.heading(n, move)}" for n, move in enumerate(upgrade.moves, 1)))
    if rows := rehearsed.rows(upgrade):
        blocks.append("\n".join(_matrix(rows, color=color)))
    for number in range(len(upgrade.moves)):
        blocks += _detail(upgrade, number, color=color, width=width)
    return "\n\n".join([*blocks, rehearsed.summary(upgrade)]) + "\n"


def _matrix(rows: Sequence[Row], *, color: bool) -> Iterator[str]:
    names = max(len("model"), *(len(row.model) for row in rows))
    paths = max(len("restore path"), *(len(row.path) for row in rows))
    columns = range(len(rows[0].cells))
    widths = [max(2 + len(row.cells[column].words) for row in rows) for column in columns]
    heads = "  ".join(f"{column + 1:<{widths[column]}}" for column in columns)
    yield f"  {'model':{names}}  {'restore path':{paths}}  {heads}".rstrip()
    for row in rows:
        yield f"  {plain(row.model):{names}}  {row.path:{paths}}  {_cells(row, widths, color=color)}".rstrip()


def _cells(row: Row, widths: Sequence[int], *, color: bool) -> str:
    shown = []
    for cell, width in zip(row.cells, widths, strict=True):
        mark, style = LOOKS[cell.state]
        words = f"{mark} {cell.words}"
        shown.append((click.style(words, **style) if color else words) + " " * (width - len(words)))
    return "  ".join(shown)


def _detail(upgrade: Upgrade, number: int, *, color: bool, width: int) -> Iterator[str]:
    """What is to be said of a move beyond the matrix."""
    move = upgrade.moves[number]
    title = f"{number + 1}: {plain(move.name)}"
    if move.failure is not None:
        yield "\n".join([title, *(f"  {plain(line)}" for line in move.failure.splitlines())])
        return
    blocks, same = [], []
    for item in rehearsed.details(upgrade, number):
        if isinstance(item, str):
            same.append(f"  {item}")
        else:
            blocks.append(text_report.render_model(item, color=color, width=width))
    if blocks or same:
        yield "\n".join([title, *same])
        yield from blocks
