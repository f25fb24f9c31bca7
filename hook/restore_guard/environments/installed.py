"""What is installed for a Python, told without importing any of it: TensorFlow takes seconds, this a moment."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import msgspec

_QUESTION = """
import json, os, sys
path = [os.path.realpath(entry) for entry in sys.path if entry]
version = [sys.implementation.name, *sys.version_info[:3], sys.platform]
print(json.dumps({"version": version, "path": path, "prefixes": [sys.prefix, sys.base_prefix]}))
"""


class Installed(msgspec.Struct, frozen=True, dict=True):
    """A Python, and where it finds what can be imported.

    Attributes:
        version: implementation, version and platform.
        path: the folders of sys.path.
        prefixes: where it is installed, which says nothing about what is.
    """

    version: tuple[str | int, ...]
    path: tuple[str, ...]
    prefixes: tuple[str, ...]

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """{folder: what is in it}, in the order of sys.path."""
        return {folder: sorted(os.listdir(folder)) for folder in dict.fromkeys(self.path) if os.path.isdir(folder)}

    @cached_property
    def stems(self) -> frozenset[str]:
        """All top-level names that an import could find."""
        return frozenset(name.partition(".")[0] for names in self.names.values() for name in names)

    @cached_property
    def versions(self) -> dict[str, str]:
        """{distribution: version} of what is installed; of several, the one that comes first."""
        found: dict[str, str] = {}
        for folder, names in self.names.items():
            for name in names:
                if match := re.fullmatch(r"(.+?)(?:-([^-]+)(?:-py[\d.]+)?)?\.(?:dist|egg)-info", name):
                    # Without a version in its name, a distribution is taken for what its time stamp says.
                    version = match[2] or str(os.stat(os.path.join(folder, name)).st_mtime_ns)
                    found.setdefault(_normal(match[1]), version)
        return found

    @cached_property
    def owners(self) -> dict[str, frozenset[str]]:
        """{top-level name: the distributions that install it}; reads all their lists of files."""
        import importlib.metadata  # 14 ms, and only a build that is new has packages to look up

        owners = defaultdict(set)
        for distribution in importlib.metadata.distributions(path=list(self.names)):
            name = _normal(distribution.metadata["Name"] or "")
            for line in (distribution.read_text("RECORD") or distribution.read_text("SOURCES.txt") or "").splitlines():
                owners[line.partition(",")[0].partition("/")[0].partition(".")[0]].add(name)
            for line in (distribution.read_text("top_level.txt") or "").split():
                owners[line].add(name)
        return {name: frozenset(found) for name, found in owners.items()}

    def content(self, top: str) -> str:
        """A digest of a top-level module or package, for one that has no version."""
        found = hashlib.sha256()
        for folder, names in self.names.items():
            for name in names:
                if name.partition(".")[0] == top:
                    place = Path(folder, name)
                    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
                        found.update(path.read_bytes())
        return found.hexdigest()

    def identity(self, project: Path) -> list[object]:
        """What tells this environment from another, apart from the distributions; the same on another machine."""
        places = [("{project}", str(project.resolve())), *((f"{{{n}}}", path) for n, path in enumerate(self.prefixes))]
        path = []
        for folder in self.path:
            for stand_in, place in places:
                if folder == place or folder.startswith(place + os.sep):
                    folder = stand_in + folder[len(place) :]
            path.append(folder)
        # These put further folders and importers in the way.
        links = sorted(name for names in self.names.values() for name in names if name.endswith((".pth", "_finder.py")))
        return [*self.version, path, links]


def ask(python: Path, environ: Mapping[str, str]) -> Installed | None:
    """What is installed for `python` where `environ` is its environment; None if it does not say."""
    try:
        done = subprocess.run([python, "-B", "-c", _QUESTION], env=environ, capture_output=True, timeout=60)
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Installed)
    except (OSError, subprocess.TimeoutExpired, IndexError, ValueError, msgspec.DecodeError):
        return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
