"""TOML of the user's files, whatever is in it."""

from __future__ import annotations

import tomllib
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
