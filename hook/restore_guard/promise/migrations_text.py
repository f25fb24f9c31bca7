"""Writes a migration into the file of a model's migrations: one entry a line, with how sure it is beside it.

What people wrote around it, comments included, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import tomlkit
from tomlkit.items import AoT, Array, InlineTable, Table

from restore_guard.promise.migrations import Migration

_HEAD = """\
# How old checkpoints get into the model of today, epoch by epoch. Written by `restore-guard update --migrate`;
# to be reviewed and edited like code.

"""


def with_migration(text: str | None, migration: Migration, why: Mapping[str, str]) -> str:
    """The file with a migration in it, in place of the one from the same epoch if it has one.

    Args:
        text: the file as it is; None where there is none yet.
        why: {pattern or name: how sure an entry is}, for the comments.
    """
    document = tomlkit.parse(text if text is not None else _HEAD)
    tables = document.get("migration")
    made = _table(migration, why)
    if not isinstance(tables, AoT):
        document["migration"] = tomlkit.aot()
        tables = document["migration"]
    numbers = [number for number, table in enumerate(tables) if table.get("from") == migration.old]
    if numbers:
        tables[numbers[0]] = made
    else:
        tables.append(made)
    return _spaced(tomlkit.dumps(document))


def joined(ours: str, theirs: str, numbers: Mapping[int, int]) -> str:
    """The migrations of both sides of a merge, those of the other side behind and renumbered.

    Args:
        numbers: {epoch of the other side: its number now}; tables that lead to none of these are in `ours` already.

    Raises:
        tomlkit.exceptions.ParseError: one of the two is not TOML.
    """
    document, other = tomlkit.parse(ours), tomlkit.parse(theirs)
    tables = document.get("migration")
    if not isinstance(tables, AoT):
        document["migration"] = tables = tomlkit.aot()
    for table in other.get("migration", []):
        number = numbers.get(table.get("to"))
        if number is not None:
            table["from"], table["to"] = number - 1, number
            tables.append(table)
    return _spaced(tomlkit.dumps(document))


def _spaced(text: str) -> str:
    return re.sub(r"(?<!\n)\n\[\[migration\]\]", "\n\n[[migration]]", text)


def _table(migration: Migration, why: Mapping[str, str]) -> Table:
    table = tomlkit.table()
    table["from"], table["to"], table["reason"] = migration.old, migration.new, migration.reason
    renames = [({"from": entry.old, "to": entry.new}, why.get(entry.old)) for entry in migration.rename]
    grown = [
        ({"variable": entry.variable, "axis": entry.axis, "fill": entry.fill}, why.get(entry.variable))
        for entry in migration.grow
    ]
    undecided = [
        ({"saved": entry.saved} if entry.saved is not None else {"variable": entry.variable}) | {"choose": entry.choose}
        for entry in migration.open
    ]
    lists: dict[str, list[tuple[Any, str | None]]] = {
        "rename": renames,
        "drop": [(pattern, why.get(pattern)) for pattern in migration.drop],
        "initial": [(pattern, why.get(pattern)) for pattern in migration.initial],
        "grow": grown,
        "cast": [(pattern, why.get(pattern)) for pattern in migration.cast],
        "open": [(entry, None) for entry in undecided],
    }
    for key, entries in lists.items():
        if entries:
            table[key] = _array(entries)
    return table


def _array(entries: Iterable[tuple[Any, str | None]]) -> Array:
    array = tomlkit.array()
    for entry, comment in entries:
        array.add_line(_inline(entry) if isinstance(entry, dict) else entry, comment=comment)
    array.add_line(indent="")
    return array


def _inline(entry: Mapping[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(entry)
    return table
