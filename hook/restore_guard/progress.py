"""What a run is doing, for whoever waits: a bar that renews itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:  # only a terminal shows a bar
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

# A run that ends sooner than this says nothing.
_PATIENCE = 2.0
# Hundreds of builds are not as many lines of a log.
_PAUSE = 5.0


class Count(str):
    """A sentence that says how much of something is done, and of what."""

    done: int
    total: int

    def __new__(cls, done: int, total: int, purpose: str = "") -> Count:
        count = super().__new__(cls, f"{purpose}{purpose and ', '}{done} of {total} done")
        count.done, count.total = done, total
        return count


SAVE, RESTORE = "\x1bD\x1bM\x1b7", "\x1b8"
"""Keep the cursor's place, with a line below it, and go back there."""


class Progress:
    """Context manager, also several times, and callable.

    On a terminal a bar, elsewhere lines, and none of them before the run has lasted two seconds.

    Args:
        live: whether somebody sees lines as they are written; else only a terminal is told.
        below: a terminal in whose line somebody else has written already: a bar stands below it, after two seconds.
    """

    def __init__(self, stream: IO[str], live: bool = True, below: IO[str] | None = None) -> None:
        self.stream, self.live, self.below = below or stream, live, below is not None
        self.begin, self.counted = time.monotonic(), 0.0
        self.bar: tuple[Bar, TaskID] | None = None
        self.timer: threading.Timer | None = None
        self.sentence = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Makes room on the terminal for what is printed next."""
        self._end_wait()
        if self.bar is not None:
            self.bar[0].stop()
            self.bar = None
            if self.below:
                self.stream.write(RESTORE)
                self.stream.flush()

    def __call__(self, sentence: str) -> None:
        now = time.monotonic()
        if self.stream.isatty():
            self.sentence = sentence
            left = self.begin + _PATIENCE - now
            if self.below and self.bar is None and left > 0:
                self._wait(left)
            else:
                self._end_wait()  # two threads would start two bars
                self._renew(sentence)
        elif self.live and now - self.begin > _PATIENCE and self._is_due(sentence, now):
            print(f"restore-guard: {' '.join(sentence.split())}", file=self.stream, flush=True)

    def _wait(self, seconds: float) -> None:
        if self.timer is None:
            self.timer = threading.Timer(seconds, lambda: self._renew(self.sentence))
            self.timer.daemon = True
            self.timer.start()

    def _end_wait(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer.join()
            self.timer = None

    def _is_due(self, sentence: str, now: float) -> bool:
        if not isinstance(sentence, Count) or sentence.done == sentence.total:
            return True
        if now - self.counted < _PAUSE:
            return False
        self.counted = now
        return True

    def _renew(self, sentence: str) -> None:
        if self.bar is None:
            self.bar = self._started()
        bar, task = self.bar
        bar.update(task, description=f"restore-guard: {sentence}")
        if isinstance(sentence, Count):
            bar.update(task, completed=sentence.done, total=sentence.total)

    def _started(self) -> tuple[Bar, TaskID]:
        from rich import progress
        from rich.console import Console

        if self.below:
            self.stream.write(f"{SAVE}\n")
        columns = (
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(30),
        )
        bar = progress.Progress(*columns, console=Console(file=self.stream), transient=True)
        task = bar.add_task("", total=None)
        bar.start()
        return bar, task
