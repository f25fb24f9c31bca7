"""Saved, now, verdict: a line for each layer, and for each variable of it that does not get its value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from restore_guard.reports.fates import FATES, near_miss
from restore_guard.reports.wording import NOTHING, counted, plain
from restore_guard.result import Row, Seen
from restore_guard.rules.shared.words import sizes
from restore_guard.signature import leaf, owner

LINES = 60
"""More lines are counted; the JSON and the HTML report have all."""
WIDEST = 44
"""Characters of a name; a longer one is cut at its beginning, for its end tells more."""


class Line(NamedTuple):
    saved: str
    now: str
    verdict: str


def render(rows: Sequence[Row]) -> list[str]:
    """The lines of the table; none where there is nothing to compare."""
    if not any(row.fates for row in rows):
        return []
    lines = [Line("saved", "now", "verdict"), *_lines(rows)]
    more = len(lines) - LINES
    lines = lines[: LINES if more > 0 else None]
    saved, now = (max(len(line[column]) for line in lines) for column in (0, 1))
    told = [f"  {line.saved:{saved}}  {line.now:{now}}  {line.verdict}".rstrip() for line in lines]
    return [*told, f"  and {counted(more, 'more line')}: --format html has them all"] if more > 0 else told


def _lines(rows: Sequence[Row]) -> Iterator[Line]:
    """Layers that restore, one after the other, share a line."""
    layers = [list(its) for _, its in groupby(rows, _layers)]
    for lost, several in groupby(layers, lambda its: any(row.is_lost for row in its)):
        found = list(several)
        if lost or len(found) < 3:
            for its in found:
                yield from _layer(its, lost)
        else:
            variables = [row for its in found for row in its]
            yield Line(f"… {counted(len(found), 'layer')}", "…", _summary(variables))


def _layers(row: Row) -> tuple[str | None, str | None]:
    return tuple(owner(seen.path) if seen is not None else None for seen in (row.saved, row.now))  # type: ignore[return-value]


def _layer(rows: Sequence[Row], lost: bool) -> Iterator[Line]:
    saved, now = (next((getattr(row, side) for row in rows if getattr(row, side)), None) for side in ("saved", "now"))
    yield Line(_named(saved), _named(now), _summary(rows))
    if lost:
        yield from (Line(f"  {_form(row.saved)}", f"  {_form(row.now)}", verdict(row)) for row in rows if row.is_lost)


def _summary(rows: Iterable[Row]) -> str:
    rows = list(rows)
    lost = sum(row.is_lost for row in rows)
    words = "restores" if not lost else "does not restore"
    if not lost and any("stopped" in row.fates.values() for row in rows):
        words = "not loaded, as the load call raises"
    return f"{words} ({counted(len(rows), 'variable') if lost in (0, len(rows)) else f'{lost} of {len(rows)}'})"


def verdict(row: Row) -> str:
    """What becomes of a variable on its restore paths, and what it is near to."""
    words: dict[str, list[str]] = {}
    for path, fate in row.fates.items():
        other = f" ({plain(row.got[path])})" if path in row.got else ""
        words.setdefault(FATES[fate].sentence + other, []).append(path)
    told = [sentence if len(words) == 1 else f"{', '.join(paths)}: {sentence}" for sentence, paths in words.items()]
    return "; ".join(filter(None, ["; ".join(told), near_miss(row)]))


def _named(seen: Seen | None) -> str:
    if seen is None:
        return NOTHING
    layer = _cut(plain(owner(seen.path))) or "(the model itself)"
    return f"{layer} {plain(seen.owner)}" if seen.owner and owner(seen.path) else layer


def _form(seen: Seen | None) -> str:
    if seen is None:
        return NOTHING
    kind = "" if seen.dtype == "float32" else f" {plain(seen.dtype)}"
    return f"{_cut(plain(leaf(seen.path)))} {sizes(seen.shape)}{kind}"


def _cut(name: str) -> str:
    return name if len(name) <= WIDEST else f"…{name[1 - WIDEST :]}"
