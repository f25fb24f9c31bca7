"""What a commit wants installed: the file that says so, and the versions that it pins. Text alone, nothing runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from restore_guard.errors import UncheckedError

Read = Callable[[str], bytes | None]

KINDS = ("uv.lock", "pylock.toml", "requirements.txt")
"""The files that an environment can be made from, the most exact first."""

EXPORTS = {
    "poetry.lock": "poetry export --output requirements.txt",
    "pdm.lock": "pdm export --output requirements.txt",
    "Pipfile.lock": "pipenv requirements > requirements.txt",
}


@dataclass(frozen=True)
class Lock:
    """What one commit's environment is made from.

    Attributes:
        file: one of `KINDS`.
        contents: {file: content} of all that decides it: included files, the project's pyproject.toml.
        python: the version of Python that the commit asks for, or None.
    """

    file: str
    contents: Mapping[str, bytes]
    python: str | None


def find(read: Read) -> Lock:
    """Returns the lock of the side that `read` gives files of.

    Raises:
        UncheckedError: the side has none that can be installed; names the command that makes one.
    """
    for file in KINDS:
        content = read(file)
        if content is not None:
            contents = {file: content} | (
                _included(read, file, content) if file == "requirements.txt" else _named(read, "pyproject.toml")
            )
            return Lock(file, contents, _python(read))
    for file, command in EXPORTS.items():
        if read(file) is not None:
            raise UncheckedError(
                f'environment = "per-commit" cannot install {file}. Commit a requirements.txt beside it: {command}'
            )
    raise UncheckedError(f'environment = "per-commit" needs one of {", ".join(KINDS)}, and there is none.')


def _named(read: Read, file: str) -> dict[str, bytes]:
    content = read(file)
    return {} if content is None else {file: content}


def _included(read: Read, file: str, content: bytes) -> dict[str, bytes]:
    """The files that a requirements file names with -r and -c, and those that they name."""
    found: dict[str, bytes] = {}
    for line in content.decode(errors="replace").splitlines():
        named = re.match(r"\s*(?:-r|-c|--requirement|--constraint)[\s=]+(\S+)", line)
        inner = named and posixpath.normpath(posixpath.join(posixpath.dirname(file), named[1]))
        if inner and inner not in found and (included := read(inner)) is not None:
            found |= {inner: included} | _included(read, inner, included)
    return found


def _python(read: Read) -> str | None:
    content = read(".python-version")
    lines = [line.strip() for line in (content or b"").decode(errors="replace").splitlines()]
    return next((line for line in lines if line and not line.startswith("#")), None)
