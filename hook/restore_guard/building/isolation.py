"""The wall around a build, which runs the code under review: what goes in is chosen, what comes out is not believed.

It is no sandbox: a build runs as the user who started it. It keeps a build that is only careless, or that prints
what it sees, from leaking a token, steering a job of GitHub Actions, or crashing whoever reads its answer.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any, TypeVar

import msgspec

from restore_guard.build import Strategy
from restore_guard.environments import variables

T = TypeVar("T")

LONGEST = 257 * 1024 * 1024
"""Bytes of an answer; the probe itself sends no signature above 256 MB."""

HASH_SEED = "0"
"""By which sets have the same order in all builds that are judged."""

_FIXED = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
}


def environment(environ: Mapping[str, str], hash_seed: str = HASH_SEED) -> dict[str, str]:
    """The environment of a build: what it may need, nothing that opens a door.

    TensorFlow Hub's downloads stay among the lasting temporary files (its `tfhub_cache_dir`).
    """
    lasting = {"TFHUB_CACHE_DIR": os.path.join(tempfile.gettempdir(), "tfhub_modules")}
    return lasting | variables.harmless(environ) | _FIXED | {"PYTHONHASHSEED": hash_seed}


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The answers, a line each, up to one that is too long to be one: nothing after it is read."""
    while line := stream.readline(LONGEST):
        if len(line) == LONGEST and not line.endswith(b"\n"):
            return
        yield line


# The second is msgspec's own for bytes that are no UTF-8.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Message(msgspec.Struct):
    """What the probe says: that it is ready or cannot be, the answer to one job, or that it has answered all.

    Attributes:
        seal: the word of the requests, which builds do not know: without it, a result is somebody else's.
        answered: how many requests have nothing left to do.
    """

    ready: dict[str, str] | None = None
    error: str | None = None
    too_old: str | None = None
    id: str | None = None
    seal: str | None = None
    result: Any = None
    failure: str | None = None
    detail: str = ""
    died: bool = False
    at: tuple[str, int] | None = None
    writes: str | None = None
    strategy: Strategy | None = None
    because: str | None = None
    seconds: float = 0
    answered: int | None = None


def decode(line: bytes) -> Message:
    """A message; an empty one for what the user's Python prints before the probe has taken its output over.

    The job whose answer a line claims to be is not waited for any longer, if the line cannot be read.
    """
    try:
        return msgspec.json.decode(line, type=Message)
    except _UNREADABLE as error:
        job = _id(line)
        return Message(id=job, failure=job and f"the build's answer cannot be read: {error}")


class _Id(msgspec.Struct):
    id: str | None = None


def _id(line: bytes) -> str | None:
    """Whose answer a line is that cannot be read as a whole: the probe writes that first."""
    begin = re.match(rb'\s*\{\s*"id"\s*:\s*"(?:[^"\\]|\\.)*"', line)
    for text in (line, begin[0] + b"}" if begin else b""):
        try:
            return msgspec.json.decode(text, type=_Id).id
        except _UNREADABLE:
            continue
    return None


def checked(answer: Any, kind: type[T]) -> T:
    """Returns an answer as what it should be: the one door that every answer of the probe goes through.

    Raises:
        ValueError: it is not: a wrong type, a reference to what is not there, too deep a nesting.
    """
    try:
        return msgspec.convert(answer, kind)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
