"""What every start reads of the manifests, of which there may be thousands: a part, without the rest.

Nothing is imported here that reads a whole manifest: start-up counts.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from restore_guard.signature import Reads, Tensor


class _Trace(Reads, frozen=True, kw_only=True):
    schema: Literal[1]
    model: str


class _Inputs(msgspec.Struct):
    inputs: tuple[Tensor, ...] = ()


def trace(content: bytes, model: str) -> Reads:
    """What the manifest of a model says that the build depends on."""
    try:
        found = msgspec.json.decode(content, type=_Trace)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Reads(opaque=("its manifest cannot be read",))
    return found if found.model == model else Reads(opaque=(f"its manifest is of {found.model}",))


def inputs(content: bytes) -> tuple[Tensor, ...]:
    """The inputs that a manifest lists; none where it cannot be read."""
    try:
        return msgspec.json.decode(content, type=_Inputs).inputs
    except (msgspec.DecodeError, RecursionError):
        return ()
