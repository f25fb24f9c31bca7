"""The files that decide what is installed: by their names, and by what they ask for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from restore_guard import toml_text
from restore_guard.change.states import Change

Read = Callable[[str], bytes | None]

ENVIRONMENT_FILES = (
    *("requirements*.txt", "requirements*.in", "requirements*.lock", "constraints*.txt", "constraints*.in"),
    *("requirements/*.txt", "requirements/*.in", "requirements/*.lock"),
    *("uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock", "pylock.toml", "pylock.*.toml"),
    *("environment*.yml", "environment*.yaml", "conda-*.yml", "conda-*.yaml", "conda-*.lock", "pixi.toml", "pixi.lock"),
    *("setup.py", "setup.cfg", "hatch.toml", ".python-version"),
)
"""Patterns of the files that decide what is installed, in whatever folder they are."""

_TELLING = ("*.txt", "*.in", "*.lock", "*.toml", "Dockerfile*", "*.dockerfile", "*.Dockerfile", "Containerfile*")
"""Of these, what they say of TensorFlow and Keras decides: others are data, or notes."""

UV_COSMETIC = {
    *("cache-dir", "check-url", "publish-url", "preview", "native-tls", "required-version"),
    *("concurrent-builds", "concurrent-downloads", "concurrent-installs"),
}
"""Keys of tool.uv that never change what is installed."""

_TABLES = (
    *("project.dependencies", "project.optional-dependencies", "project.requires-python"),
    *("dependency-groups", "build-system"),
    *("tool.poetry.dependencies", "tool.poetry.dev-dependencies", "tool.poetry.group"),
    *("tool.pdm.dev-dependencies", "tool.pdm.resolution", "tool.rye.dev-dependencies", "tool.hatch.envs"),
    *("tool.pixi.dependencies", "tool.pixi.pypi-dependencies", "tool.pixi.feature", "tool.pixi.target"),
    *("tool.pixi.project.channels", "tool.pixi.workspace.channels", "tool.pixi.environments"),
)

_FRAMEWORK = re.compile(r"(^|-)(tensorflow|keras|tf)(-|$)")
_NAMED = re.compile(
    r"""(?<![\w.-])((?:tensorflow|keras|tf)(?:[-_][a-z]+)*)(?:\[[^]\n]*\])?["']?\s*"""
    r"""(?::\s*\{[^}]{0,2000}?["']version["']\s*:|=\s*\{[^}\n]{0,500}?version\s*=|\n\s*version:|[-:=~<>!^@])"""
    r"""\s*["']?[=~<>!^]*\s*v?(\d[\w.*]*(?:\s*,\s*[<>=!~]+\s*[\w.*]+)*)""",
    re.IGNORECASE,
)
_LIMIT = 1_000_000


class Named(NamedTuple):
    """A version of TensorFlow, Keras or what extends them, as a line of any file asks for it."""

    package: str
    version: str
    line: int


def differs(change: Change, before: Read, now: Read) -> bool:
    """Whether a change may change what is installed; the name of its file need not say so.

    Args:
        before, now: give the content of a file on either side.
    """
    old, new = change.old_path or change.path, change.path
    if is_environment_file(old) or is_environment_file(new):
        return True
    name = posixpath.basename(new)
    if not _governs(new) or not any(fnmatchcase(name, pattern) for pattern in _TELLING):
        return False
    if name == "pyproject.toml":
        return dependencies_changed(before(old), now(new))
    then, is_now = _versions(before(old)), _versions(now(new))
    return any(then[package] != is_now[package] for package in then.keys() & is_now.keys())


def _versions(content: bytes | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in named(content):
        found.setdefault(item.package, []).append(item.version)
    return found


def is_environment_file(path: str) -> bool:
    """Whether a file decides what is installed, whatever is in it."""
    folder, name = posixpath.split(path)
    in_folder = posixpath.join(posixpath.basename(folder), name)
    return _governs(path) and any(
        fnmatchcase(in_folder if "/" in pattern else name, pattern) for pattern in ENVIRONMENT_FILES
    )


def is_framework(package: str) -> bool:
    """True for what decides how checkpoints restore: TensorFlow, Keras and what extends them."""
    return bool(_FRAMEWORK.search(package))


def named(content: bytes | None) -> Iterator[Named]:
    """The versions of frameworks in a file of any kind: a lock file of conda, a Dockerfile, lines of pip."""
    text = (content or b"")[:_LIMIT].decode(errors="replace")
    for found in _NAMED.finditer(text):
        package = re.sub(r"[-_.]+", "-", found[1]).lower()
        if is_framework(package):
            yield Named(package, found[2], text.count("\n", 0, found.start()) + 1)


def dependencies_changed(old: bytes | None, new: bytes | None) -> bool:
    """Whether two states of a pyproject.toml ask for different installations; an unparsable one does."""
    if old == new:
        return False
    try:
        return dependency_tables(old) != dependency_tables(new)
    except ValueError:
        return True


def dependency_tables(content: bytes | None) -> dict[str, Any]:
    """{name: what a pyproject.toml says there of what is to be installed}.

    Raises:
        ValueError: it is no TOML.
    """
    data = toml_text.decode(content or b"")
    found = {name: _get(data, name) for name in _TABLES}
    uv = _get(data, "tool.uv")
    if isinstance(uv, dict):
        uv = {key: value for key, value in uv.items() if key not in UV_COSMETIC}
    return found | {"tool.uv": uv or None}


def _get(data: Any, name: str) -> Any:
    for key in name.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _governs(path: str) -> bool:
    """Whether a file lies in the project or directly in a folder around it, not in a project beside it."""
    inner = re.sub(r"^(\.\./)+", "", path)
    return inner == path or posixpath.dirname(inner) in ("", "requirements")
