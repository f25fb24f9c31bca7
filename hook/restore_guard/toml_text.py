"""TOML of the user's files, whatever is in it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any


def decode(content: bytes) -> dict[str, Any]:
    """Returns the document as plain data.

    Raises:
        ValueError: it cannot be read; the message says why, and where.
    """
    try:
        return tomllib.loads(content.decode())
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def locked(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The (name, version) of each package of a lock file in TOML: uv.lock, poetry.lock, pdm.lock, pylock.toml."""
    listed = document.get("package", document.get("packages", []))
    for entry in listed if isinstance(listed, list) else ():
        name, version = (entry.get(key) for key in ("name", "version")) if isinstance(entry, dict) else (None, None)
        if isinstance(name, str) and isinstance(version, str):
            yield name, version
