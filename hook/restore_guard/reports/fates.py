"""What becomes of a variable, in words for a person: the gravest first."""

from __future__ import annotations

from typing import NamedTuple

from restore_guard.result import Fate


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
