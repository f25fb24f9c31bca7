"""A model's entry in the configuration as a place where something changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from restore_guard import toml_text
from restore_guard.change.diffs import Place
from restore_guard.change.edits import filled

_MISSING = object()


def changed(file: str, old: str | None, new: str, name: str) -> dict[str, Place]:
    """Returns {key of the model's entry that changed, as `kwargs.width` or `inputs`: its line of the head}."""
    before, after = (dict(_flat(_entry(text, name))) for text in (old or "", new))
    keys = {key for key in before.keys() | after.keys() if before.get(key, _MISSING) != after.get(key, _MISSING)}
    if not keys:
        return {}
    olds, news = ((text or "").splitlines() for text in (old, new))
    blocks = [
        (range(a, b), range(c, d))
        for tag, a, b, c, d in SequenceMatcher(None, olds, news, autojunk=False).get_opcodes()
        if tag != "equal"
    ]
    found = {}
    for key in sorted(keys):
        here, there = set(_lines(news, name, key)), set(_lines(olds, name, key))
        own = [number for _, block in blocks for number in block if number in here]
        gone = [block.start for gap, block in blocks if there & set(gap)]
        line = next(iter([*own, *gone, *sorted(here)]), None)
        if line is not None:
            found[key] = Place(file, filled(news, min(line + 1, max(1, len(news)))))
    return found


def _entry(text: str, name: str) -> Mapping[str, Any]:
    try:
        parsed = toml_text.decode(text.encode())
    except ValueError:
        return {}
    return _inner(_inner(parsed, "tool", "restore-guard") or parsed, "models", name) or {}


def _inner(table: Mapping[str, Any], *keys: str) -> dict[str, Any] | None:
    """The table below a table; None where there is none, or something else."""
    value: Any = table
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None


def _flat(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in entry.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", item) for inner, item in value.items())
        else:
            yield key, value


def _lines(lines: list[str], name: str, key: str) -> Iterator[int]:
    """The numbers, from 0, of the lines that say what a key of an entry is, as far as they can be told."""
    top, _, inner = key.partition(".")
    table, within = "", False
    for number, line in enumerate(lines):
        if header := re.match(r"\s*\[(?:tool\.restore-guard\.)?models\.(.+?)\]\s*(?:#.*)?$", line):
            path = re.sub(r"[\"' ]", "", header[1])
            table, within = path.removeprefix(name), path.startswith(name) and path == f"{name}.{top}" and not inner
        elif re.match(r"\s*\[{1,2}[\w.\"'-]+\]{1,2}\s*(?:#.*)?$", line):
            table, within = "?", False
        elif word := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            spelled = re.sub(r"[\"' ]", "", word[1])
            wanted = {"": {top, key}, f".{top}": {inner}}.get(table, set())
            within = spelled in wanted
        if within:
            yield number
