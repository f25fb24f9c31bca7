"""Files that git ignores and that builds read: what `carry` of the configuration must name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from restore_guard.build import Build
from restore_guard.change.repository import Repository

# The name of a compiled module holds the Python that it is for.
_COMPILED = re.compile(r"\.(cpython|cp|abi3)[^/]*(?=\.(so|pyd)$)")
_KEPT_BY_TOOLS = re.compile(r"(^|/)(__pycache__|\.[^/]+|[^/]+\.egg-info)/|\.py[co]$")


def needed(repository: Repository, folder: str, builds: Iterable[Build]) -> list[str]:
    """Patterns of the files, relative to the project, that are on disk alone.

    Args:
        folder: the project, relative to the root of the repository.
    """
    read: set[str] = set()
    for build in builds:
        if build.trace is not None:
            read |= {*build.trace.modules, *build.trace.files} - {*build.trace.written}
    inside = sorted(path for path in read if not _KEPT_BY_TOOLS.search(path) and not path.startswith("/"))
    ignored = repository.ignored([posixpath.join(folder, path) for path in inside])
    patterns = (_COMPILED.sub(".*", posixpath.relpath(path, folder or ".")) for path in ignored)
    return sorted(set(patterns))
