"""What the lock files of other tools ask for, in requirements and constraints that uv installs. Text alone.

Each function takes the file and the pyproject.toml beside it, and returns (requirements, constraints, the version of
Python or None). A constraint pins a package without asking for it, so that uv leaves out what is for other systems.
"""

from __future__ import annotations

import json
from typing import Any

from restore_guard import toml_text
from restore_guard.environments import conda_file
from restore_guard.errors import UncheckedError

Translated = tuple[list[str], list[str], str | None]


def of_poetry(lock: bytes, project: bytes | None) -> Translated:
    """poetry.lock, and what pyproject.toml asks for: https://python-poetry.org/docs/dependency-specification/."""
    document = _toml("pyproject.toml", project)
    poetry = _table(document, "tool", "poetry")
    wanted = _strings(_table(document, "project").get("dependencies"))
    groups = [_table(poetry, "dependencies")]
    for group in _table(poetry, "group").values():
        if isinstance(group, dict) and not group.get("optional"):
            groups.append(_table(group, "dependencies"))
    for group in groups:
        for name, value in group.items():
            if name != "python" and not (isinstance(value, dict) and value.get("optional")):
                wanted.append(_asked(name, value))
    return wanted, _pinned("poetry.lock", lock), None


def of_pdm(lock: bytes, project: bytes | None) -> Translated:
    """pdm.lock, and the dependencies of pyproject.toml."""
    wanted = _strings(_table(_toml("pyproject.toml", project), "project").get("dependencies"))
    return wanted, _pinned("pdm.lock", lock), None


def of_pipenv(lock: bytes, project: bytes | None) -> Translated:
    """The default packages of Pipfile.lock, which are the whole environment."""
    try:
        document = json.loads(lock)
    except (ValueError, RecursionError) as error:
        raise UncheckedError(f"Pipfile.lock cannot be read: {error}") from None
    wanted = []
    for name, entry in _table(document, "default").items():
        told = entry if isinstance(entry, dict) else {}
        version, markers = told.get("version"), told.get("markers")
        if not isinstance(version, str):
            raise UncheckedError(f"Pipfile.lock: {name} has no version, so its environment cannot be made.")
        extras = _strings(told.get("extras"))
        wanted.append(f"{name}{_bracketed(extras)}{version}" + (f" ; {markers}" if isinstance(markers, str) else ""))
    python = _table(document, "_meta", "requires").get("python_version")
    return wanted, [], python if isinstance(python, str) else None


def of_conda(file: bytes, project: bytes | None) -> Translated:
    """The pip part of an environment.yml, and its Python; what conda itself installs is not taken.

    Raises:
        UncheckedError: TensorFlow or Keras is among what conda installs.
    """
    found = conda_file.listed(file)
    if found.frameworks:
        raise UncheckedError(
            f"{found.frameworks[0]} is installed by conda, which uv cannot do: name it in the pip part."
        )
    return found.by_pip, [], found.python


def _pinned(file: str, lock: bytes) -> list[str]:
    return [f"{name}=={version}" for name, version in toml_text.locked(_toml(file, lock))]


def _asked(name: str, value: Any) -> str:
    """A dependency of pyproject.toml without its version, which the lock pins."""
    told = value if isinstance(value, dict) else {}
    if elsewhere := [key for key in ("git", "path", "url") if key in told]:
        raise UncheckedError(f"pyproject.toml: {name} comes from {', '.join(elsewhere)}, no index.")
    extras, markers = _strings(told.get("extras")), told.get("markers")
    return f"{name}{_bracketed(extras)}" + (f" ; {markers}" if isinstance(markers, str) else "")


def _bracketed(extras: list[str]) -> str:
    return f"[{','.join(extras)}]" if extras else ""


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _table(document: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def _toml(file: str, content: bytes | None) -> dict[str, Any]:
    try:
        return toml_text.decode(content or b"")
    except ValueError as error:
        raise UncheckedError(f"{file} cannot be read: {error}") from None
