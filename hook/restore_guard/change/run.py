"""What every step of a command has at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from restore_guard.change.repository import Repository


def _silent(_: str) -> None:
    pass


class Run(msgspec.Struct, frozen=True):
    """One run of a command.

    Attributes:
        environ: the environment variables that the command was started with.
        progress: called with a sentence when something begins or ends.
    """

    repository: Repository
    environ: Mapping[str, str]
    progress: Callable[[str], None] = _silent

    @property
    def folder(self) -> Path:
        """The project's folder on disk."""
        return self.repository.root / self.repository.project
