"""What becomes of a variable, in words for a person: the gravest first."""

from __future__ import annotations

from typing import NamedTuple

from restore_guard.reports.wording import plain
from restore_guard.result import Fate, Row


class Words(NamedTuple):
    """`tone` is bad, unsure, quiet or good."""

    word: str
    tone: str
    sentence: str


FATES: dict[Fate, Words] = {
    "raises": Words("raises", "bad", "the load call raises over it"),
    "misplaced": Words("wrong value", "bad", "gets the value of another variable"),
    "initial": Words("initial value", "bad", "keeps its initial value"),
    "dropped": Words("dropped", "bad", "its saved value goes nowhere"),
    "stopped": Words("not loaded", "unsure", "the load call raises over others"),
    "unsupported": Words("unsupported", "quiet", "the unchanged model cannot be saved and loaded this way"),
    "unwritten": Words("never saved", "quiet", "this restore path never writes it"),
    "elsewhere": Words("elsewhere", "quiet", "its saved value goes into another variable"),
    "converted": Words("converted", "good", "loading makes its value of saved ones"),
    "restored": Words("restores", "good", "gets its saved value"),
}


def near_miss(row: Row) -> str:
    """The same name in another shape, the same shape under another name; "" where nothing is near."""
    saved, now = row.saved, row.now
    if saved is not None and now is not None:
        differs = [what for what, same in _compared(row) if not same]
        if saved.path == now.path and differs:
            return f"same name, another {' and '.join(differs)}"
        if saved.path != now.path:
            return "same shape, another name" if not differs else f"another name and {' and '.join(differs)}"
        return ""
    if not row.near:
        return ""
    return f"same shape elsewhere: {', '.join(map(plain, row.near))}"


def _compared(row: Row) -> list[tuple[str, bool]]:
    saved, now = row.saved, row.now
    if saved is None or now is None:
        return []
    return [("shape", saved.shape == now.shape), ("type", saved.dtype == now.dtype)]
