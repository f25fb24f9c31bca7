"""Ctrl-C and SIGTERM in the middle of a build: no process, no temporary folder, nothing changed."""

import os
import signal
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow

SLOW = """\
def build():
    import os, pathlib, time

    pathlib.Path({mark!r}).write_text(str(os.getpid()))
    time.sleep(600)
"""


def _wait(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("runner", "number", "times"),
    [("pre-commit", signal.SIGINT, 2), ("pre-commit", signal.SIGTERM, 1), ("prek", signal.SIGINT, 1)],
)
def test_stopped_in_the_middle_of_a_build(guarded, tmp_path, runner, number, times):
    project = guarded(runner)
    mark = tmp_path / "building"
    project.edit("net.py", "def build():\n    return Net()\n", SLOW.format(mark=str(mark)))
    project.git("add", "net.py")
    # A commit brings its index up to date before it asks the hook: one without a hook, which ends at its editor.
    assert project.begin("git", "commit", "--no-verify", GIT_EDITOR="false").wait() != 0
    before = project.snapshot()
    process = project.begin("git", "commit", "--message", "slow")
    _wait(mark.exists, 120)
    _wait(lambda: mark.read_text(), 5)
    for _ in range(times):
        os.killpg(process.pid, number)
        time.sleep(0.1)
    process.communicate(timeout=30)
    assert process.returncode != 0
    _wait(lambda: list(project.temporary.iterdir()) == [], 15)
    assert not _is_alive(int(mark.read_text()))
    assert not (project.root / ".git/index.lock").exists()
    assert project.snapshot() == before
