"""Files that git ignores and that builds need: compiled modules, generated versions. Only the work tree has them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from restore_guard.change.repository import Repository

_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_NO_NAME = re.compile(r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'")
_NO_FILE = re.compile(r"No such file or directory: '([^'\n]+)'")


def carried(repository: Repository, patterns: Sequence[str]) -> list[str]:
    """The files of the project on disk that git ignores and that match, relative to the project."""
    inside = repository.ignored([posixpath.join(repository.project, pattern) for pattern in patterns])
    return [posixpath.relpath(path, repository.project or ".") for path in inside]


def lacking(repository: Repository, failure: str, root: Path, folders: Sequence[str]) -> str | None:
    """The file on disk that git ignores, and that a build from other files did not find; None where there is none.

    Args:
        failure: what the build said.
        root: the folder that it was built in.
        folders: from where it imports, relative to the project.
    """
    return next(iter(carried(repository, [*_named(failure, root, folders)])), None)


def _named(failure: str, root: Path, folders: Sequence[str]) -> Iterator[str]:
    modules = [*_NO_MODULE.findall(failure), *(f"{of}.{name}" for name, of in _NO_NAME.findall(failure))]
    for module in modules:
        for folder in ("", *folders):
            path = posixpath.normpath(posixpath.join(folder, module.replace(".", "/")))
            yield from (f"{path}.py", f"{path}/__init__.py", f"{path}.*.so", f"{path}.so", f"{path}.*.pyd")
    for name in _NO_FILE.findall(failure):
        place = Path(name)
        if not place.is_absolute():
            yield posixpath.normpath(name)
        elif place.is_relative_to(root):
            yield place.relative_to(root).as_posix()
