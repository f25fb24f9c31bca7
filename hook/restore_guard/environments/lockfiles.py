"""What a commit wants installed: the file that says so, and the versions that it pins. Text alone, nothing runs."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
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

_FRAMEWORK = re.compile(r"(^|-)(tensorflow|keras|tf)(-|$)")


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


@dataclass(frozen=True)
class Move:
    """A package whose pinned version differs between two commits; a version is None where it is not asked for."""

    file: str
    line: int
    package: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        return f"{self.package} {self.old or '(none)'} → {self.new or '(none)'}"


def pins(file: str, content: bytes | None) -> dict[str, str]:
    """{package: version} of a lock file, a requirements file or a pyproject.toml; empty where it is not understood."""
    text = (content or b"").decode(errors="replace")
    if file.endswith(".txt"):
        return _required(text.splitlines())
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
    if posixpath.basename(file) == "pyproject.toml":
        return _required(_strings([document.get("project", {}).get("dependencies"), document.get("dependency-groups")]))
    listed = document.get("package", document.get("packages", []))
    return {
        _normal(entry["name"]): str(entry["version"])
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and "name" in entry and "version" in entry
    }


def moves(file: str, old: bytes | None, new: bytes | None) -> list[Move]:
    """All that two states of a file pin otherwise; the line is the new file's, 0 where it has none."""
    before, now = pins(file, old), pins(file, new)
    lines = [_normal(line) for line in (new or b"").decode(errors="replace").splitlines()]
    return [
        Move(file, _line_with(lines, name), name, before.get(name), now.get(name))
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def _line_with(lines: list[str], name: str) -> int:
    named = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return next((number for number, line in enumerate(lines, 1) if named.search(line)), 0)


def _required(requirements: Iterable[str]) -> dict[str, str]:
    pattern = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[.*?\])?\s*([=<>~!][^;#]*)")
    found = [pattern.match(requirement) for requirement in requirements]
    return {_normal(one[1]): one[2].strip().removeprefix("==") for one in found if one}


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def is_framework(package: str) -> bool:
    """True for what decides how checkpoints restore: TensorFlow, Keras and what extends them."""
    return bool(_FRAMEWORK.search(package))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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
