"""Builds kept from run to run, found again by the content of all that they depend on.

What a build reads is known only after it. The key of a record is made of what is known before: the configuration
entry, the Python and the probe. The record itself lists what its build read, looked for and did not find. It is used
where all of that is still the same, apart from layout. Failed builds, and builds whose reads cannot all be followed,
are not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from restore_guard import build as build_module
from restore_guard import folders, keras_tree, plain_data, saver_file, signature
from restore_guard.build import Build, Job, Strategy, Trace
from restore_guard.building import probe_code, side_files
from restore_guard.building.side_files import STEP, Tree, changed
from restore_guard.change import layout
from restore_guard.change.layout import Point
from restore_guard.environments.installed import Installed
from restore_guard.plain_data import Frame, Site
from restore_guard.probe.tracing.environment import COSMETIC
from restore_guard.signature import Signature

_BUILDS, _SECONDS = "builds", "seconds"
_DIGITS = 64  # of a digest, which names a record and the folder of its key
_LIMIT = 256 * 1024 * 1024
_PER_KEY = 64
_SIGNATURES = (signature, keras_tree, saver_file, plain_data)
# TensorFlow's own code reads these where nothing hears it.
_ALWAYS_READ = ("TF_", "KERAS_", "XLA_", "PYTHON", "CUDA_")


class _Module(msgspec.Struct, frozen=True, array_like=True):
    content: str
    layout: str


class _Conditions(msgspec.Struct, frozen=True):
    """A trace with the state of all that it names; `strays` are packages that no distribution has installed."""

    modules: dict[str, _Module]
    files: dict[str, str]
    links: dict[str, str | None]
    there: dict[str, str | None]
    folders: dict[str, str]
    outside: dict[str, list[int] | None]
    environ: dict[str, str | None]
    all_environ: bool
    packages: dict[str, str]
    strays: dict[str, str]
    failed: tuple[str, ...]


class _Kept(msgspec.Struct, frozen=True):
    """A build, and what its sites are found by when the layout of its modules has changed."""

    signature: dict[str, Any]
    strategy: Strategy | None
    because: str | None
    seconds: float
    written: tuple[str, ...]
    spots: list[tuple[str, int, list[Point]]]
    stacks: tuple[tuple[tuple[int, str | None], ...], ...]
    created: tuple[tuple[int, str, int], ...]


class Cache:
    """The builds that were kept; one for a run.

    Args:
        folder: where they are; None where there is no place to keep anything.
        installed: of the Python that builds; None where that is not known, and so nothing is found or kept.
    """

    def __init__(self, folder: Path | None, installed: Installed | None, environ: Mapping[str, str]) -> None:
        self.folder, self.installed, self.environ = folder, installed, environ
        self.begin = time.time()

    def find(self, job: Job, tree: Tree) -> Build | None:
        """A kept build that a fresh one would equal; None where there is none."""
        if self.folder is None or self.installed is None:
            return None
        for path in _records(self.folder, self._key(job, self.installed)):
            record = _read(path)
            if record is None or not self._holds(record[0], tree, self.installed):
                continue
            conditions, body = record
            build = _restored(conditions, body, tree)
            if build is not None:
                with contextlib.suppress(OSError):
                    os.utime(path)
                return build
        return None

    def keep(self, job: Job, tree: Tree, build: Build) -> None:
        """Keeps a successful build for later runs, if all that it depends on is known."""
        trace = build.trace
        if self.folder is not None and build.signature is not None:
            _note_seconds(self.folder, job, build.seconds)
        if self.folder is None or self.installed is None or build.signature is None or trace is None or trace.opaque:
            return
        if not self._is_sure(trace, tree):
            return
        kept = _Kept(
            signature=msgspec.to_builtins(build.signature),
            strategy=build.strategy,
            because=build.because,
            seconds=build.seconds,
            written=trace.written,
            spots=[(spot.file, spot.line, layout.points(tree.read(spot.file) or b"", spot)) for spot in trace.spots],
            stacks=trace.stacks,
            created=trace.created,
        )
        head = msgspec.json.encode(_conditions(trace, tree, self.installed), order="deterministic")
        content = head + b"\n" + zlib.compress(msgspec.json.encode(kept), 1)
        name = hashlib.sha256(content).hexdigest()
        with contextlib.suppress(OSError):  # a full disk, a folder that may not be written
            folder = self.folder / _BUILDS / self._key(job, self.installed)
            folder.mkdir(parents=True, exist_ok=True)
            folders.write(folder / name, name.encode() + b"\n" + content)

    def _is_sure(self, trace: Trace, tree: Tree) -> bool:
        """Whether the files of the side are still those that the build read."""
        return (
            tree.settled([*trace.modules, *trace.files, *trace.folders], self.begin)
            and all(tree.kind(path) is None for path in trace.missing)
            and all(changed(Path(path)) < self.begin - STEP for path in trace.outside)
            and all(tree.kind(path) is not None for path in (*trace.modules, *trace.files))
        )

    def _key(self, job: Job, installed: Installed) -> str:
        environ = {name: value for name, value in self.environ.items() if name.startswith(_ALWAYS_READ)}
        parts = [
            _own_version(),
            *_entry(job),
            sorted(job.restores),
            installed.identity(job.worktree or job.root),
            environ,
            _keras_settings(self.environ),
        ]
        return _digest_of_data(parts)

    def _holds(self, then: _Conditions, tree: Tree, installed: Installed) -> bool:
        return (
            all(installed.versions.get(name, "") == version for name, version in then.packages.items())
            and all(installed.content(top) == content for top, content in then.strays.items())
            and not installed.stems & set(then.failed)
            and all(_digest_of(self.environ.get(name)) == value for name, value in then.environ.items())
            and not (then.all_environ and self.environ.keys() - COSMETIC - then.environ.keys())
            and all(tree.target(path) == target for path, target in then.links.items())
            and all(_is_same(tree.read(path), module) for path, module in then.modules.items())
            and all(_digest(tree.read(path)) == digest for path, digest in then.files.items())
            and all(tree.kind(path) == kind for path, kind in then.there.items())
            and all(_digest("\0".join(tree.names(path)).encode()) == names for path, names in then.folders.items())
            and all(_state(path) == state for path, state in then.outside.items())
        )

    def make_room(self) -> None:
        """Removes what was not used for longest, once there is too much of it."""
        if self.folder is None:
            return
        found = []
        for path in (self.folder / _BUILDS).glob("*/*"):
            if not folders.is_ours(path.parent.name, _DIGITS):
                continue
            with contextlib.suppress(OSError):
                state = path.stat()
                found.append((state.st_mtime_ns, state.st_size, path))
        size = sum(item[1] for item in found)
        for _, its, path in sorted(found):
            if size <= _LIMIT:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                size -= its
                path.parent.rmdir()  # if it was the last


def _records(folder: Path, key: str) -> list[Path]:
    """The records of a key, the latest first; only the first `_PER_KEY` are tried."""
    try:
        entries = [entry for entry in os.scandir(folder / _BUILDS / key) if folders.is_ours(entry.name, _DIGITS)]
        entries.sort(key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
    except OSError:
        return []
    return [Path(entry.path) for entry in entries[:_PER_KEY]]


def _conditions(trace: Trace, tree: Tree, installed: Installed) -> _Conditions:
    modules = {path: tree.read(path) or b"" for path in trace.modules}
    # A name that was not imported may be installed all the same: the code only looked for it.
    looked_for = installed.stems & set(trace.failed)
    return _Conditions(
        modules={path: _Module(_sha256(content), layout.digest(content)) for path, content in modules.items()},
        files={path: _sha256(tree.read(path) or b"") for path in trace.files},
        links={path: tree.target(path) for path in trace.links},
        there={path: tree.kind(path) for path in (*trace.present, *trace.missing)},
        folders={path: _sha256("\0".join(tree.names(path)).encode()) for path in trace.folders},
        outside={path: _state(path) for path in trace.outside},
        environ=trace.environ,
        all_environ=trace.all_environ,
        packages={
            name: installed.versions.get(name, "")
            for top in (*trace.packages, *looked_for)
            for name in installed.owners.get(top, ())
        },
        strays={top: installed.content(top) for top in trace.packages if top not in installed.owners},
        failed=tuple(name for name in trace.failed if name not in looked_for),
    )


def seconds(folder: Path | None, job: Job) -> float | None:
    """How long the latest build of a configuration entry took, whatever its sources and wherever; None if unknown."""
    try:
        return float((folder / _SECONDS / _digest_of_entry(job)).read_text()) if folder else None
    except (OSError, ValueError):
        return None


def _note_seconds(folder: Path, job: Job, taken: float) -> None:
    with contextlib.suppress(OSError):
        (folder / _SECONDS).mkdir(parents=True, exist_ok=True)
        folders.write(folder / _SECONDS / _digest_of_entry(job), str(taken).encode())


def _digest_of_entry(job: Job) -> str:
    return _digest_of_data(_entry(job))


def _digest_of_data(data: object) -> str:
    """Of what TOML may hold: msgspec writes NaN and infinity alike, and no integer of more than 64 bits."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _entry(job: Job) -> list[object]:
    inputs = [dict(item) for item in job.inputs]
    return [job.builder, dict(job.kwargs), inputs, list(job.pythonpath), dict(job.load), dict(job.environ)]


def _read(path: Path) -> tuple[_Conditions, bytes] | None:
    """The two halves of a record; None for what is damaged or not ours."""
    try:
        name, _, content = path.read_bytes().partition(b"\n")
        if hashlib.sha256(content).hexdigest() != name.decode() or path.name != name.decode():
            return None
        head, _, body = content.partition(b"\n")
        return msgspec.json.decode(head, type=_Conditions), body
    except (OSError, ValueError, msgspec.DecodeError):
        return None


def _restored(conditions: _Conditions, body: bytes, tree: Tree) -> Build | None:
    """The build of a record, its sites in the modules as they are now."""
    try:
        kept = msgspec.json.decode(zlib.decompress(body), type=_Kept)
        found = msgspec.convert(kept.signature, Signature)
    except (msgspec.DecodeError, msgspec.ValidationError, zlib.error):
        return None
    moved = {path for path, module in conditions.modules.items() if _digest(tree.read(path)) != module.content}
    if any(file in moved for file, _, _ in kept.spots):
        elsewhere = _with_sites(found, kept, moved, tree)
        if elsewhere is None:
            return None
        found = elsewhere
    return Build(found, kept.strategy, kept.because, kept.seconds, _trace(conditions, kept))


def _trace(then: _Conditions, kept: _Kept) -> Trace:
    """The part of a trace that shows whether another build wrote a file which this one depends on."""
    missing = tuple(path for path, kind in then.there.items() if kind is None)
    present = tuple(path for path, kind in then.there.items() if kind is not None)
    folders = tuple(then.folders)
    return Trace(tuple(then.modules), tuple(then.files), (), present, missing, folders, written=kept.written)


def _with_sites(found: Signature, kept: _Kept, moved: Collection[str], tree: Tree) -> Signature | None:
    """The signature with the lines of another layout; None where they cannot be told for certain."""
    found_lines = (
        layout.line(tree.read(file) or b"", points) if file in moved else line for file, line, points in kept.spots
    )
    lines = [line for line in found_lines if line is not None]
    if len(lines) < len(kept.spots):
        return None
    sites: dict[Site, Site | None] = {}
    counts: Counter[tuple[str, int, str]] = Counter()
    for frames, kind, number in kept.created:
        stack = [(*kept.spots[spot][:2], lines[spot], owner) for spot, owner in kept.stacks[frames]]
        file, before, now, _ = stack[0]
        new = Site(file, now, counts[file, now, kind], tuple(Frame(name, line, of) for name, _, line, of in stack))
        old = Site(file, before, number, tuple(Frame(name, line, of) for name, line, _, of in stack))
        counts[file, now, kind] += 1
        # One line of then may have become two: the sites of what it created cannot be told apart.
        if sites.setdefault(old, new) != new:
            sites[old] = None
    return found.with_sites(sites)


def _is_same(content: bytes | None, then: _Module) -> bool:
    return content is not None and (_digest(content) == then.content or layout.digest(content) == then.layout)


@cache  # models share most of their modules, and both sides most of their content
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(content: bytes | None) -> str | None:
    return None if content is None else _sha256(content)


def _digest_of(value: str | None) -> str | None:
    return _digest(None if value is None else os.fsencode(value))


def _state(path: str) -> list[int] | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return [state.st_size, state.st_mtime_ns]


@cache
def _own_version() -> str:
    """A digest of the code that makes signatures, and of the code that keeps them."""
    found = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    own = [Path(file) for module in (build_module, layout, side_files, *_SIGNATURES) if (file := module.__file__)]
    for path in [*probe_code.files(), *own, Path(__file__)]:
        found.update(path.read_bytes())
    return found.hexdigest()


def _keras_settings(environ: Mapping[str, str]) -> str | None:
    """Keras reads its default types and image format from the user's home when it is imported."""
    home = environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    with contextlib.suppress(OSError):
        return _digest(Path(home, "keras.json").read_bytes())
    return None
