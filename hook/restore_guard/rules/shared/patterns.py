"""One name for many that are alike."""

from __future__ import annotations

import re
from collections.abc import Sequence


def pattern(names: Sequence[str]) -> str:
    """One name for many alike: `blocks/*/attn` for `blocks/0/attn` and `blocks/1/attn`."""
    different = list(dict.fromkeys(names))
    if len(different) == 1:
        return different[0]
    split = [name.split("/") for name in different]
    if len({len(parts) for parts in split}) > 1:
        return f"{common_start(different)}*{common_end(different)}"
    return "/".join(_part(list(dict.fromkeys(parts))) for parts in zip(*split, strict=True))


def _part(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    start, end = common_start(words), common_end(words)
    start, end = re.sub(r"\d+$", "", start), re.sub(r"^\d+", "", end)
    return f"{start}*{end}" if all(len(start) + len(end) <= len(word) for word in words) else f"{start}*"


def common_start(words: Sequence[str]) -> str:
    """What all words begin with."""
    shortest = min(words, key=len)
    length = next((n for n, char in enumerate(shortest) if any(word[n] != char for word in words)), len(shortest))
    return shortest[:length]


def common_end(words: Sequence[str]) -> str:
    """What all words end with."""
    return common_start([word[::-1] for word in words])[::-1]


def family(name: str | None) -> str | None:
    """What instances of one thing have in common, whatever their number."""
    return re.sub(r"\d+", "*", name) if name is not None else None
