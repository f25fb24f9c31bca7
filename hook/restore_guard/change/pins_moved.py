"""The packages that two states of a lock file, a requirements file or a pyproject.toml ask for in other versions."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from restore_guard import requirement_files, toml_text
from restore_guard.change import environment_files
from restore_guard.change.environment_files import is_framework

_ANY = "*"
_OF_PIP = ("project.dependencies", "project.optional-dependencies", "dependency-groups")

# (package, version, the marker that says where it is asked for or "", line or 0)
_Pin = tuple[str, str, str, int]


class Move(msgspec.Struct, frozen=True):
    """A package whose pinned version differs between two commits; a version is None where it is not asked for."""

    file: str
    line: int
    package: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        return f"{self.package} {self.old or '(none)'} → {self.new or '(none)'}"


def moves(file: str, old: bytes | None, new: bytes | None) -> list[Move]:
    """All that two states of a file pin otherwise; the line is the new file's, 0 where it has none."""
    before, now = pins(file, old), pins(file, new)
    lines = _lines(file, new)
    return [
        Move(file, lines.get(name, 0), name, before.get(name), now.get(name))
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def settled(found: Iterable[Move]) -> tuple[Move, ...]:
    """The moves without those of a package that one file asks for instead of another, in the same version."""
    found = list(found)
    gone = {(move.package, move.old) for move in found if move.new is None}
    come = {(move.package, move.new) for move in found if move.old is None}
    both = gone & come
    return tuple(
        move
        for move in found
        if (move.package, move.old if move.new is None else move.new) not in both or None not in (move.old, move.new)
    )


def pins(file: str, content: bytes | None) -> dict[str, str]:
    """{package: version} of a file; empty where it is not understood.

    Where a package is asked for in several versions, by the system for example, all are named.
    """
    versions: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for name, version, marker, _ in _pins(file, content):
        versions[name].setdefault(version, []).append(marker)
    return {name: _joined(of) for name, of in versions.items()}


def _joined(versions: Mapping[str, list[str]]) -> str:
    if len(versions) == 1:
        return next(iter(versions))
    return ", ".join(
        f"{version} ({' or '.join(sorted(set(markers)))})" if all(markers) else version
        for version, markers in sorted(versions.items())
    )


def _pins(file: str, content: bytes | None) -> Iterator[_Pin]:
    """What a file of a known kind asks for; of any other, and of what is told otherwise, the frameworks."""
    found = list(_of_its_kind(file, content)) if content is not None else []
    yield from found
    if not any(is_framework(name) for name, *_ in found):
        for package, version, line in environment_files.named(content):
            yield package, version, "", line


def _of_its_kind(file: str, content: bytes) -> Iterator[_Pin]:
    name = posixpath.basename(file)
    if name.endswith((".txt", ".in")) or (name.endswith(".lock") and name.startswith("requirements")):
        for entry in requirement_files.entries(content.decode(errors="replace")):
            if entry.kind == "requirement":
                yield from _required([entry.text], entry.line)
        return
    try:
        document = toml_text.decode(content)
    except ValueError:
        return
    if name == "pyproject.toml":
        yield from _required(_strings([environment_files.dependency_tables(content)[table] for table in _OF_PIP]))
    else:
        for package, version in toml_text.locked(document):
            yield _normal(package), version, "", 0


def _required(requirements: Iterable[str], line: int = 0) -> Iterator[_Pin]:
    for text in requirements:
        found = requirement_files.requirement(text)
        if found is not None:
            version = _address(found.url) if found.url else str(found.specifier) or _ANY
            exact = re.fullmatch(r"==([^,*]+)", version)
            yield _normal(found.name), exact[1] if exact else version, str(found.marker or ""), line


def _address(url: str) -> str:
    """Without a login that it may hold."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _lines(file: str, content: bytes | None) -> dict[str, int]:
    """{package: the line that asks for it}."""
    asked = list(_pins(file, content))
    found = {name: line for name, _, _, line in asked if line}
    lines = [_normal(line) for line in (content or b"").decode(errors="replace").splitlines()]
    return {name: _line_with(lines, name) for name, *_ in asked if name not in found} | found


def _line_with(lines: list[str], name: str) -> int:
    named = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return next((number for number, line in enumerate(lines, 1) if named.search(line)), 0)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
