"""The code of the probe as files: whatever is in them decides what a build gives."""

from __future__ import annotations

from pathlib import Path

from restore_guard import probe


def files() -> list[Path]:
    """Its modules and data, in a stable order."""
    return sorted(path for path in Path(probe.__file__).parent.rglob("*.*") if path.suffix in (".py", ".json"))
