"""What plain data is made of: immutable structs that are strict on reading, sizes, lines of the user's source."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec

DEEPEST = 100
"""Levels of objects and containers in one another; no model needs a tenth, and nothing here recurses further."""

Size = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A dimension, as TensorFlow counts it."""


class Frame(NamedTuple):
    """A line of the user's source that was being run; `type` is the class of its `self`."""

    file: str
    line: int
    type: str | None = None


class Site(NamedTuple):
    """The line of the user's source that created something; `number` counts creations of a class at a line.

    `stack` has all frames of the user's source at that moment, the innermost first.
    """

    file: str
    line: int
    number: int
    stack: tuple[Frame, ...] = ()


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all signature data: immutable, compared by value, strict on reading."""
