"""What git lists with NULs between: a path may hold any other byte."""

from __future__ import annotations

import os

from restore_guard.change.states import Change, Status

_STATUSES: dict[str, Status] = {"A": "A", "M": "M", "D": "D", "T": "T", "U": "M"}
"""What git calls the change of a file, and what it is here: an unresolved conflict on disk (U) is a modification."""


def split(output: bytes) -> list[str]:
    """The items of a list that ends with a NUL."""
    return os.fsdecode(output).split("\0")[:-1]


_LEADING = {"120000", "160000"}
"""The modes of links and of submodules: git shows nothing of what is below them."""


def changes(output: bytes) -> tuple[Change, ...]:
    """The changes that `--raw -z` lists."""
    fields = iter(split(output))
    found = []
    for field in fields:
        *modes, _, _, status = field.removeprefix(":").split(" ")
        leads = not _LEADING.isdisjoint(modes)
        if status[0] == "R":
            old_path, path = next(fields), next(fields)
            found.append(Change("R", path, old_path, leads=leads))
        else:
            found.append(Change(_STATUSES[status], next(fields), leads=leads))
    return tuple(found)
