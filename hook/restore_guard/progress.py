"""What a run is doing, for whoever waits: one line that renews itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import IO

# A run that ends sooner than this says nothing.
_PATIENCE = 2.0


class Progress:
    """Context manager, also several times, and callable; silent until the run has lasted two seconds."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream, self.begin = stream, time.monotonic()
        self.status = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Makes room on the terminal for what is printed next."""
        if self.status is not None:
            self.status.stop()
            self.status = None

    def __call__(self, sentence: str) -> None:
        if self.stream.isatty():
            self._renew(sentence)
        elif time.monotonic() - self.begin > _PATIENCE:
            print(f"restore-guard: {sentence}", file=self.stream, flush=True)

    def _renew(self, sentence: str) -> None:
        if self.status is None:
            from rich.console import Console

            self.status = Console(file=self.stream).status(sentence)
            self.status.start()
        self.status.update(f"restore-guard: {sentence}")
