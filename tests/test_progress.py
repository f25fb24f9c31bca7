"""Progress: silent at first, a bar on a terminal, few lines elsewhere."""

import contextlib
import io
import os
import sys
import time

import pytest
from conftest import COMMAND, settings

from restore_guard import progress
from restore_guard.progress import Count, Progress


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_plain_lines_after_a_while_and_not_one_for_each_of_hundreds(clock):
    out = io.StringIO()
    with Progress(out) as tell:
        tell("importing TensorFlow")
        for done in range(1, 201):
            clock.now += 0.1
            tell(Count(done, 200))
    lines = out.getvalue().splitlines()
    assert lines[0] == "restore-guard: 21 of 200 done"
    assert lines[-1] == "restore-guard: 200 of 200 done"
    assert len(lines) <= 5


def test_a_bar_on_a_terminal():
    out = io.StringIO()
    out.isatty = lambda: True
    with Progress(out) as tell:
        tell("importing TensorFlow")
        tell(Count(1, 4))
        tell.bar[0].refresh()
        assert tell.bar[0].tasks[0].percentage == 25
    assert "1 of 4 done" in out.getvalue()


def test_a_count_says_what_it_counts():
    assert Count(1, 2, "building net at 3f2a1c0d") == "building net at 3f2a1c0d, 1 of 2 done"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_below_what_a_hook_runner_has_written_a_bar_begins_after_two_seconds_and_goes(monkeypatch):
    """The runner's own unfinished line stays, and the cursor is back in it."""
    monkeypatch.setattr(progress, "_PATIENCE", 0.2)
    out, errors = Terminal(), io.StringIO()
    with Progress(errors, live=False, below=out) as tell:
        tell("building net at 3f2a1c0d and as it is staged")
        assert out.getvalue() == ""
        time.sleep(0.6)
        tell("restoring old checkpoints into the new build of net")
        tell.bar[0].refresh()
    written = out.getvalue()
    assert written.startswith("\x1bD\x1bM\x1b7\n") and written.endswith("\x1b8")
    assert "building net at 3f2a1c0d" in written and "restoring old checkpoints" in written
    assert errors.getvalue() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_in_a_hook_whose_output_is_kept_the_terminal_of_the_user_is_told(make_repository):
    """For real: a pseudo-terminal, output that goes elsewhere, and a Python that takes its time to start."""
    import pty

    project = make_repository()
    slow = project.root / "slow"
    slow.write_text('#!/bin/sh\n[ "$1" = -B ] && exit 1\nsleep 4\nexit 1\n')  # -B: what is installed is asked
    slow.chmod(0o755)
    project.commit(
        {"net.py": "def build(): pass\n", "pyproject.toml": settings(slow, {"net": 'builder = "net:build"'})}
    )
    project.write({"net.py": "def build(): return 1\n"})
    project.git("add", "--all")
    pid, terminal = pty.fork()
    if pid == 0:
        kept = os.open(project.temporary / "kept", os.O_WRONLY | os.O_CREAT)
        os.dup2(kept, 1)
        os.dup2(kept, 2)
        os.chdir(project.root)
        os.execve(COMMAND, [COMMAND, "check"], project.environ | {"PRE_COMMIT": "1", "TERM": "xterm"})
    shown = b""
    with contextlib.suppress(OSError):  # Linux says so when the other end is closed
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (1, 3)
    assert b"importing TensorFlow" in shown and b"net" not in shown.split(b"importing TensorFlow")[0]
    kept = (project.temporary / "kept").read_text()
    assert "net" in kept and "importing TensorFlow" not in kept


def test_a_short_hook_writes_nothing():
    out = Terminal()
    with Progress(io.StringIO(), live=False, below=out) as tell:
        tell("building net")
    time.sleep(0.1)
    assert out.getvalue() == "" and tell.timer is None
