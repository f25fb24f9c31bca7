"""A process and all that it starts, ended together: a group on POSIX, a tree on Windows.

Standard library alone: the tool ends the probe by it, and the probe its builds.
"""

import contextlib
import os
import signal
import subprocess

KILLED = -signal.SIGKILL if hasattr(signal, "SIGKILL") else None
"""The exit code of a process that was ended from outside; on Windows it may be any."""

APART = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""What to start it with, beside `start_new_session`, so that a Ctrl-C in the terminal of Windows does not reach it."""

# Windows gives the number of the exception as the exit code: 0xC0000005, an access violation.
_EXCEPTION = 0xC0000000


def end(pid: int) -> None:
    """Ends a process that leads a session or was started `APART`, with what it has started, unless it has ended.

    Windows finds a tree by its root, while that lives: what an ended one has left behind stays.
    """
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    else:
        nothing = subprocess.DEVNULL
        with contextlib.suppress(OSError):
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], stdin=nothing, stdout=nothing, stderr=nothing)
        with contextlib.suppress(OSError):  # it alone, where taskkill may not or is not there
            os.kill(pid, signal.SIGTERM)


def crashed(code: int) -> bool:
    """Whether an exit code says that the system ended the process for what it did."""
    return code < 0 or code >= _EXCEPTION
