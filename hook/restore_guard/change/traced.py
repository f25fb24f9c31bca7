"""Which changed files matter to a build, of which its manifest keeps what it depended on."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from restore_guard.signature import Reads, Signature


def touched(paths: Mapping[str, str], traces: Iterable[Reads], patterns: Sequence[str]) -> str | None:
    """The first of some changed files that may make another build, or what cannot be told, in a line; None for none.

    Args:
        paths: {changed path: changed, added, deleted or renamed}.
        traces: what the builds of either side depended on.
        patterns: of further files that matter.
    """
    traces = list(traces)
    sources, looked_for, listed = (
        {normal(path) for trace in traces for path in getattr(trace, kind)}
        for kind in ("sources", "looked_for", "folders")
    )
    asked = looked_for | listed
    around = {folder for path in sources | asked for folder in with_parents(posixpath.dirname(path))} | listed

    def matters(path: str, done: str) -> bool:
        return (
            path in sources
            or path in looked_for
            or any(matches(path, pattern) for pattern in patterns)
            or path in around  # of a submodule, git only says that it changed
            # With its first file a folder appears, and with its last one it goes.
            or (bool(asked) and done != "changed" and not asked.isdisjoint(with_parents(posixpath.dirname(path))))
        )

    found = next((f"{path} {done}" for path, done in paths.items() if matters(path, done)), None)
    return found or next((_untold(trace) for trace in traces if trace.opaque), None)


def _untold(trace: Reads) -> str:
    return f"what its build depends on cannot be told ({', '.join(trace.opaque)})"


def unnoticed(found: Signature, known: Signature, covered: Collection[str], patterns: Sequence[str]) -> str | None:
    """What `touched` would not notice of what a build depends on, in words; None where it would notice all.

    Args:
        found: what the build depends on; known: what the manifest says of that.
        covered: the paths that the imports in the sources tell of.
    """
    noticed = {*known.sources, *known.looked_for, *covered}
    for word, paths in (("reads", found.sources), ("looks for", found.looked_for)):
        other = [path for path in paths if path not in noticed and not any(matches(path, each) for each in patterns)]
        if other:
            return f"{word} {', '.join(other[:3])}"
    if other := sorted(set(found.folders) - set(known.folders)):
        return f"lists {', '.join(folder or 'the project' for folder in other[:3])}"
    if found.opaque and not known.opaque:
        return f"does what cannot be followed ({found.opaque[0]})"
    return None


def matches(path: str, pattern: str) -> bool:
    """Match as a glob does: `*` stays in a folder, `**` crosses; a plain folder stands for all below it."""
    parts = normal(pattern).split("/")
    return _matches_parts(path.split("/"), parts if set("*?[") & set(parts[-1]) else [*parts, "**"])


def _matches_parts(path: list[str], pattern: list[str]) -> bool:
    reached = {0}  # how many parts of the path the pattern may have taken so far
    for each in pattern:
        if each == "**":
            reached = set(range(min(reached), len(path) + 1))
        else:
            reached = {taken + 1 for taken in reached if taken < len(path) and fnmatchcase(path[taken], each)}
        if not reached:
            return False
    return len(path) in reached


def normal(path: str) -> str:
    """A path without `./` and a trailing slash; "" is the project's folder."""
    found = posixpath.normpath(path)
    return "" if found == "." else found


def with_parents(folder: str) -> list[str]:
    """A folder and those around it, the project's last."""
    return [folder, *with_parents(posixpath.dirname(folder))] if folder else [""]
