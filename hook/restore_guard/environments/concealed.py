"""The tool's own environment, kept from what it starts.

On Linux any process of the same user may read /proc/PID/environ, which shows the memory in which the system put the
variables when the process began. The variables themselves stay as they are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from restore_guard.environments import variables


@cache
def conceal() -> None:
    """Takes the variables that a build may not see out of what the system shows of this process: once is for ever."""
    if sys.platform != "linux":
        return
    try:
        shown = Path("/proc/self/environ").read_bytes()
        # The name of the command stands in parentheses and may hold anything; the state is the third field.
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        start, end = int(fields[50 - 3]), int(fields[51 - 3])
    except (OSError, ValueError, IndexError):
        return
    import ctypes

    if not shown or end - start != len(shown) or ctypes.string_at(start, len(shown)) != shown:
        return
    seen = variables.harmless(os.environ)
    for offset, entry in _entries(shown):
        name = os.fsdecode(entry.partition(b"=")[0])
        if entry and name not in seen:
            if name in os.environ:
                os.environ[name] = os.environ[name]  # from now on, the system's library has it elsewhere
            ctypes.memset(start + offset, 0, len(entry))


def _entries(shown: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    for entry in shown.split(b"\0"):
        yield offset, entry
        offset += len(entry) + 1
