"""The packages that a change asks for in another version."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_FRAMEWORK = re.compile(r"(^|-)(tensorflow|keras|tf)(-|$)")


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
