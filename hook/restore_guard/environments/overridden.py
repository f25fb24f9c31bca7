"""What a project wants installed with some packages in other versions, the rest as it is locked where it can be.

A locked version is what uv prefers and not what it must keep: a newer TensorFlow needs a newer Keras. Text alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import VERSION_PATTERN
from tomlkit.exceptions import TOMLKitError

from restore_guard import requirement_files, toml_text
from restore_guard.environments.lockfiles import LIMITS, WANTED, Lock
from restore_guard.errors import UncheckedError, UsageError

MOVED, TOO, KEPT = "restore-guard-moved.txt", "restore-guard-moved-too.txt", "restore-guard-kept.txt"
"""What overrides all other requirements; the same as requirements, for what the project does not name; and the
versions that are kept where they can be, where uv writes what it has resolved.
"""

FLAVOURS = {"tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos"}
"""Packages with the same files in them, of which an environment has one."""


def requirements(texts: Iterable[str]) -> list[Requirement]:
    """Requirements as somebody types them.

    Raises:
        UsageError: one is none, or two are about one package.
    """
    found: dict[str, Requirement] = {}
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise UsageError(f"{text!r} is no requirement such as tensorflow==2.21.0: {error}") from error
        name = canonicalize_name(requirement.name)
        if name in found:
            raise UsageError(f"{text!r}: {name} is named twice in one move.")
        found[name] = requirement
    return list(found.values())


def overridden(lock: Lock, moved: Sequence[Requirement], installed: Mapping[str, str]) -> Lock:
    """The lock with other requirements in place of those that it has for the same packages.

    Args:
        installed: {package: version} of what is preferred where the lock names no exact version.

    Raises:
        UncheckedError: a file of the lock cannot be read.
    """
    contents, asked = dict(lock.contents), _Asked()
    if WANTED in contents:
        wanted, limits = WANTED, contents.pop(LIMITS, b"")
        asked.loosened(limits)
        contents[WANTED] = asked.loosened(contents[WANTED])
    elif lock.file.endswith((".toml", "uv.lock")):
        wanted = _of_project(lock, contents, asked)
    else:
        wanted = lock.file
        contents |= {file: asked.loosened(content) for file, content in lock.contents.items()}
    moved = [_of_flavour(each, asked) for each in moved]
    names = {canonicalize_name(each.name) for each in moved}
    # An environment has one TensorFlow.
    gone = sorted(FLAVOURS & asked.versions.keys() - names) if names & FLAVOURS else []
    preferred = {**installed, **{name: version for name, version in asked.versions.items() if version}}
    contents[TOO] = _lines(map(str, moved))
    contents[MOVED] = _lines([*map(str, moved), *(f"{name} ; python_version < '0'" for name in gone)])
    contents[KEPT] = _lines(
        f"{name}=={version}"
        for name, version in preferred.items()
        if name not in names and re.fullmatch(VERSION_PATTERN, version, re.VERBOSE | re.IGNORECASE)
    )
    arguments = (wanted, TOO, "--overrides", MOVED, "--output-file", KEPT)
    return Lock(lock.file, contents, lock.python, arguments, resolved=KEPT)


class _Asked:
    """What is asked for by the texts that went through it: {package: its exact version, or None}."""

    def __init__(self) -> None:
        self.versions: dict[str, str | None] = {}

    def loosened(self, content: bytes) -> bytes:
        """A requirements file without exact versions and their hashes."""
        lines = []
        for entry in requirement_files.entries(content.decode(errors="replace")):
            if entry.kind == "requirement":
                lines.append(self.loose(entry.text))
            elif entry.kind in ("install", "constrain"):
                lines.append(f"-{'r' if entry.kind == 'install' else 'c'} {entry.text}")
            elif not entry.text.startswith("--require-hashes"):
                lines.append(entry.text)
        return _lines(lines)

    def loose(self, text: str) -> str:
        """A requirement without its exact version."""
        found = requirement_files.requirement(text)
        if found is None:
            return text
        exact = re.fullmatch(r"={2,3}([^,*]+)", str(found.specifier))
        name = canonicalize_name(found.name)
        if exact is None or found.url:
            self.versions.setdefault(name, None)  # the lock file may say it
            return text
        self.versions[name] = exact[1].strip()
        found.specifier = SpecifierSet()
        return str(found)


def _of_flavour(moved: Requirement, asked: _Asked) -> Requirement:
    """TensorFlow as the project has it: who installs tensorflow-cpu moves that."""
    if moved.name == "tensorflow" and "tensorflow-cpu" in asked.versions and "tensorflow" not in asked.versions:
        moved = Requirement(str(moved))
        moved.name = "tensorflow-cpu"
    return moved


def _of_project(lock: Lock, contents: dict[str, bytes], asked: _Asked) -> str:
    """The file that says what a project asks for whose lock file, if it has one, is in TOML."""
    if lock.file != "pyproject.toml":
        document = _parsed(lock.file, contents.pop(lock.file)).unwrap()
        asked.versions |= {canonicalize_name(name): version for name, version in toml_text.locked(document)}
        project = _parsed("pyproject.toml", contents.get("pyproject.toml", b"")).get("project", {})
        if "dependencies" not in project and not lock.file.endswith("uv.lock"):
            contents[WANTED] = _lines(_of_pylock(document))
            return WANTED
    document = _parsed("pyproject.toml", contents["pyproject.toml"])
    dependencies = document.get("project", {}).get("dependencies", [])
    for number, text in enumerate(dependencies):
        dependencies[number] = asked.loose(str(text))
    contents["pyproject.toml"] = tomlkit.dumps(document).encode()
    return "pyproject.toml"


def _of_pylock(document: Mapping[str, Any]) -> Iterator[str]:
    """What a lock file alone installs (https://packaging.python.org/en/latest/specifications/pylock-toml/)."""
    for entry in document.get("packages", []):
        marker = entry.get("marker")
        yield f"{entry['name']} ; {marker}" if marker else entry["name"]


def _parsed(file: str, content: bytes) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(content.decode())
    except (TOMLKitError, UnicodeDecodeError, RecursionError) as error:
        raise UncheckedError(f"{file} cannot be read: {error}") from None


def _lines(items: Iterable[str]) -> bytes:
    return "".join(f"{item}\n" for item in items).encode()
