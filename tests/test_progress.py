"""Progress: silent at first, a bar on a terminal, few lines elsewhere."""

import io

import pytest

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
