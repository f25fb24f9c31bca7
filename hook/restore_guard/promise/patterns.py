"""Patterns of variable paths, as migrations name variables: `*` is one part of a path, `**` any number of parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

ONE, MANY = "*", "**"


def fault(pattern: str) -> str | None:
    """What is wrong with a pattern as such, as the end of a sentence; None for one that can be used."""
    parts = pattern.split("/")
    if not all(parts):
        return "has an empty part"
    if any("*" in part and part not in (ONE, MANY) for part in parts):
        return "has a * within a part: * stands for one whole part, ** for any number of them"
    return None


def wildcards(pattern: str) -> list[str]:
    """The wildcards of a pattern in order: both sides of a renaming have the same ones."""
    return [part for part in pattern.split("/") if part in (ONE, MANY)]


def match(pattern: str, path: str) -> list[str] | None:
    """What each wildcard of a pattern stands for in a path, as few parts as can be; None where it does not match."""
    if ONE not in pattern:
        return [] if pattern == path else None
    parts = tuple(path.split("/"))
    return next(_matches(_split(pattern), parts), None)


def matches(pattern: str, path: str) -> bool:
    return match(pattern, path) is not None


def fill(pattern: str, found: Sequence[str]) -> str:
    """The path that a pattern is where its wildcards stand for these."""
    values = iter(found)
    parts = [next(values) if part in (ONE, MANY) else part for part in pattern.split("/")]
    return "/".join(part for part in parts if part)


def rename(before: str, after: str, path: str) -> str | None:
    """The path that a renaming from one pattern to another makes of a path; None where it is not about it."""
    found = match(before, path)
    return None if found is None else fill(after, found)


@lru_cache(maxsize=4096)
def _split(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("/"))


def _matches(pattern: tuple[str, ...], parts: tuple[str, ...]) -> Iterator[list[str]]:
    if not pattern:
        if not parts:
            yield []
        return
    first, rest = pattern[0], pattern[1:]
    if first == MANY:
        for end in range(len(parts) + 1):
            for found in _matches(rest, parts[end:]):
                yield ["/".join(parts[:end]), *found]
    elif parts and first in (ONE, parts[0]):
        for found in _matches(rest, parts[1:]):
            yield [parts[0], *found] if first == ONE else found
