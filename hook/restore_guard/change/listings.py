"""What git lists with NULs between: a path may hold any other byte."""

from __future__ import annotations

import os

from restore_guard.change.states import Change, Status

_STATUSES: dict[str, Status] = {"A": "A", "M": "M", "D": "D", "T": "T", "U": "M"}
"""What git calls the change of a file, and what it is here: an unresolved conflict on disk (U) is a modification."""


def split(output: bytes) -> list[str]:
    """The items of a list that ends with a NUL."""
    return os.fsdecode(output).split("\0")[:-1]


def name_status(output: bytes) -> tuple[Change, ...]:
    """The changes that `--name-status -z` lists."""
    fields = iter(split(output))
    changes = []
    for status in fields:
        if status[0] == "R":
            old_path, path = next(fields), next(fields)
            changes.append(Change("R", path, old_path))
        else:
            changes.append(Change(_STATUSES[status], next(fields)))
    return tuple(changes)
