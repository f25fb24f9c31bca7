"""Two manifests of one model made into one, as far as their texts alone allow it. Pure.

Each entry is taken from the side that changed it. Whether the merged code really builds such a model only a build
shows: `check` says so (`manifest-stale`), and `update` writes what it builds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

import msgspec

from restore_guard.promise.json_text import decode
from restore_guard.promise.manifest import Accepted, Manifest, dump, parse, since

MISSING = object()


class MergeConflict(ValueError):
    """Both sides changed the same, otherwise; the message names what."""


def merged(base: bytes, ours: bytes, theirs: bytes, file: str) -> Manifest:
    """The manifest with the changes of both sides.

    Raises:
        ManifestError: one of them, or the result, is no manifest.
        MergeConflict: an entry was changed by both sides.
    """
    ancestor, mine, other = (parse(content, file) for content in (base, ours, theirs))
    documents = [decode(dump(manifest)) for manifest in (ancestor, mine, other)]
    for document in documents:
        # They are joined by what they say, below.
        del document["epoch"], document["history"]
    document = _merged(documents[0], documents[1], documents[2], ())
    joined = parse(json.dumps({**document, "epoch": 1, "history": []}).encode(), file)
    epoch, history = joined_history(ancestor, mine, other)
    return msgspec.structs.replace(joined, epoch=epoch, history=history)


def joined_history(base: Manifest | None, ours: Manifest, theirs: Manifest) -> tuple[int, tuple[Accepted, ...]]:
    """(epoch, history) of both: the breaks that the other side accepted follow those of this side, renumbered."""
    history = list(ours.history)
    epoch = ours.epoch
    for entry in _added(base, ours, theirs):
        epoch += 1
        history.append(msgspec.structs.replace(entry, epoch=epoch))
    return epoch, tuple(history)


def renumbered(base: Manifest | None, ours: Manifest, theirs: Manifest) -> dict[int, int]:
    """{epoch of the other side: its number in the joined history}, of the breaks that only that side accepted."""
    _, history = joined_history(base, ours, theirs)
    joined = history[len(ours.history) :]
    return {entry.epoch: later.epoch for entry, later in zip(_added(base, ours, theirs), joined, strict=True)}


def _added(base: Manifest | None, ours: Manifest, theirs: Manifest) -> list[Accepted]:
    """The breaks that only the other side has accepted since the two parted."""
    new = since(base, theirs.history) if base is not None else theirs.history
    return [entry for entry in since(ours, theirs.history) if entry in new]


def _merged(base: Any, ours: Any, theirs: Any, place: tuple[str, ...]) -> Any:
    if ours == theirs or base == theirs:
        return ours
    if base == ours:
        return theirs
    kinds = {type(value) for value in (base, ours, theirs)} - {object}
    # What is empty is left out of the text.
    empty = next(iter(kinds)) if kinds in ({dict}, {list}) else None
    sides = [empty() if empty and value is MISSING else value for value in (base, ours, theirs)]
    base, ours, theirs = sides
    if all(isinstance(value, dict) for value in sides):
        return dict(_entries(base, ours, theirs, place))
    if all(_is_pair(value) and value[0] == ours[0] for value in sides):
        return [ours[0], _merged(base[1], ours[1], theirs[1], (*place, ours[0]))]
    if all(isinstance(value, list) for value in sides) and not _has_numbers(sides):
        keyed = [_keyed(value) for value in sides]
        return [item for _, item in _entries(keyed[0], keyed[1], keyed[2], place)]
    raise MergeConflict(f"{'/'.join(place)} was changed by both sides")


def _is_pair(value: Any) -> bool:
    """Whether it is a name and the list of what it holds."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], list)


def _has_numbers(lists: list[list[Any]]) -> bool:
    """Whether an item says something by its place, as in a shape."""
    return any(isinstance(item, int | float | None) for items in lists for item in items)


def _keyed(items: list[Any]) -> dict[Hashable, Any]:
    """{what an item is known by: it}; of several that are known by the same, each has a number."""
    counts: Counter[Hashable] = Counter()
    keyed: dict[Hashable, Any] = {}
    for item in items:
        key = _key(item)
        keyed[key, counts[key]] = item
        counts[key] += 1
    return keyed


def _entries(
    base: Mapping[Any, Any], ours: Mapping[Any, Any], theirs: Mapping[Any, Any], place: tuple[str, ...]
) -> list[tuple[Any, Any]]:
    """The entries of both: in the order of ours, what is new in theirs behind what it follows there."""
    entries = []
    for key in _order(base, list(ours), list(theirs)):
        values = [side.get(key, MISSING) for side in (base, ours, theirs)]
        value = _merged(values[0], values[1], values[2], (*place, str(key[0] if isinstance(key, tuple) else key)))
        if value is not MISSING:
            entries.append((key, value))
    return entries


def _order(base: Mapping[Any, Any], ours: list[Any], theirs: list[Any]) -> list[Any]:
    order = list(ours)
    known, before = set(ours), None
    for key in theirs:
        if key not in known:
            known.add(key)
            # What this side has added at the same place stays in front.
            at = order.index(before) + 1 if before in known and before is not None else 0
            while at < len(order) and order[at] not in base and order[at] not in theirs:
                at += 1
            order.insert(at, key)
        before = key
    return order


def _key(item: Any) -> Hashable:
    """By what an item of a list is known: a variable by its path, an edge by its name."""
    if isinstance(item, dict) and isinstance(item.get("path"), str):
        return str(item["path"])
    if isinstance(item, list) and item and isinstance(item[0], str):
        return item[0]
    return item if isinstance(item, str) else json.dumps(item)
