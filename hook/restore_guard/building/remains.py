"""What builds leave outside of their folder for temporary files: processes, and segments of shared memory. Linux."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from restore_guard import folders
from restore_guard.probe.tracing import shared_memory

_SECONDS = 5


def end(scratch: Path, probe: int) -> None:
    """Ends the processes that a probe has left which was itself ended, so that nobody is their parent.

    Args:
        scratch: the folder for temporary files that the probe had; what a build starts is told it as well.
        probe: its process, which led a session.
    """
    begin, ended = time.monotonic(), set[int]()
    # One that is ending has no environment any more, and yet is there for a moment.
    while (left := _processes(scratch, probe, ended)) and time.monotonic() < begin + _SECONDS:
        for pid in left - ended:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        ended |= left
        time.sleep(0.02)


def _processes(scratch: Path, probe: int, known: set[int]) -> set[int]:
    own = os.fsencode(f"TMPDIR={scratch}")
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        # That of others may not be read.
        with contextlib.suppress(OSError, ValueError):
            # The name of the command stands in parentheses and may hold anything; the session is the sixth field.
            state, _, _, session = (place / "stat").read_bytes().rpartition(b")")[2].split()[:4]
            pid = int(place.name)
            its = pid in known or int(session) == probe or own in (place / "environ").read_bytes().split(b"\0")
            if its and state not in (b"Z", b"X"):
                found.add(pid)
    return found


def forget(scratch: Path) -> None:
    """Removes the shared memory that builds have made and named among their temporary files."""
    with contextlib.suppress(OSError):
        for name in (scratch / shared_memory.NAMES).read_bytes().splitlines():
            path = Path(shared_memory.FOLDER) / os.fsdecode(os.path.basename(name))
            if path.is_dir() and not path.is_symlink():
                folders.remove(path)
            elif path.name:
                path.unlink(missing_ok=True)
