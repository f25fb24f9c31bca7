"""The wall around a build, which runs the code under review: no secret goes in, and what comes out is not believed.

It is no sandbox: a build runs as the user who started it. It keeps a build that is only careless, or that prints
what it sees, from leaking a token, steering a job of GitHub Actions, or crashing whoever reads its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, Literal, TypeVar

import msgspec

T = TypeVar("T")

LONGEST = 257 * 1024 * 1024
"""Bytes of an answer; the probe itself sends no signature above 256 MB."""

_WITHHELD = (
    "GIT_",  # the user's index
    "ACTIONS_",  # tokens of the runner's own services
    *("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"),  # files that steer a job
    "PYTHONHOME",
)
# A word alone, or at the end of one: GITHUB_TOKEN, PGPASSWORD, npm_config_authToken; not TOKENIZERS_PARALLELISM.
_SECRET = re.compile(
    r"(TOKEN|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE|CREDENTIALS?|CREDS|APIKEY|SSHPASS)(_|$)"
    r"|(^|_)(KEYS?|PASS|PAT|AUTH|COOKIES?)(_|$)"
    r"|_PWD$",  # not PWD and OLDPWD
    re.IGNORECASE,
)
# NUM_KEY_VALUE_HEADS=8 and USE_AUTH=false configure a model and keep nobody out.
_HARMLESS = re.compile(r"-?\d{0,5}(\.\d+)?|true|false|yes|no|on|off|none", re.IGNORECASE)
_LOGIN_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")

_FIXED = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
}


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a build: all that it may need, nothing that opens a door."""
    return {name: value for name, value in environ.items() if not is_withheld(name, value)} | _FIXED


def is_withheld(name: str, value: str) -> bool:
    """Whether a variable steers git or the job, or looks like a secret."""
    if name.startswith(_WITHHELD) or _LOGIN_IN_URL.search(value):
        return True
    return bool(_SECRET.search(name)) and not _HARMLESS.fullmatch(value)


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
