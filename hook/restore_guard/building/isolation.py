"""The wall around a build, which runs the code under review: what goes in is chosen, what comes out is not believed.

It is no sandbox: a build runs as the user who started it. It keeps a build that is only careless, or that prints
what it sees, from leaking a token, steering a job of GitHub Actions, or crashing whoever reads its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, Literal, TypeVar

import msgspec

from restore_guard.environments import variables

T = TypeVar("T")

LONGEST = 257 * 1024 * 1024
"""Bytes of an answer; the probe itself sends no signature above 256 MB."""

_FIXED = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
}


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a build: what it may need, nothing that opens a door."""
    return variables.harmless(environ) | _FIXED


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The answers, a line each, up to one that is too long to be one: nothing after it is read."""
    while line := stream.readline(LONGEST):
        if len(line) == LONGEST and not line.endswith(b"\n"):
            return
        yield line


class Message(msgspec.Struct):
    """What the probe says: that it is ready or cannot be, or the answer to one job."""

    ready: dict[str, str] | None = None
    error: str | None = None
    id: str | None = None
    result: Any = None
    failure: str | None = None
    detail: str = ""
    died: bool = False
    strategy: Literal["graph", "weightless", "eager"] | None = None
    because: str | None = None
    seconds: float = 0


def decode(line: bytes) -> Message:
    """A message; an empty one for what the user's Python prints before the probe has taken its output over."""
    try:
        return msgspec.json.decode(line, type=Message)
    except msgspec.ValidationError as error:
        return _unsound(line, error)
    except (msgspec.DecodeError, RecursionError):
        return Message()


class _Id(msgspec.Struct):
    id: str | None = None


def _unsound(line: bytes, error: msgspec.ValidationError) -> Message:
    """The job whose answer this claims to be is not waited for any longer."""
    try:
        job = msgspec.json.decode(line, type=_Id).id
    except msgspec.DecodeError:
        return Message()
    return Message(id=job, failure=job and f"the build's answer cannot be read: {error}")


def checked(answer: Any, kind: type[T]) -> T:
    """Returns an answer as what it should be.

    Raises:
        ValueError: it is not: a wrong type, a reference to what is not there, too deep a nesting.
    """
    try:
        return msgspec.convert(answer, kind)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
