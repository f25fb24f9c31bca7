"""A checkpoint file as the probe has read it: what it holds, and what is known of its wholeness."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from restore_guard.build import Answer, Job
from restore_guard.building import isolation
from restore_guard.building.workshop import Workshop
from restore_guard.config import RestorePath
from restore_guard.errors import UsageError
from restore_guard.restore_paths import RESTORE_PATHS
from restore_guard.signature import Signature

State = Literal["intact", "readable", "damaged", "unread"]

# Which call loads a file; the first one where the configuration promises none of them.
_PATHS: dict[str, tuple[RestorePath, ...]] = {
    # A Saver reads it too, by the names that its variables had.
    "tf-checkpoint": ("tf-checkpoint", "tf1-saver"),
    "saved-model": ("tf-checkpoint",),
    "tf1-checkpoint": ("tf1-saver",),
    "weights-h5": ("keras-weights",),
    "sharded-weights": ("keras-weights",),
    "legacy-h5": ("h5", "h5-by-name"),
    "keras-archive": ("keras-archive", "keras-weights"),
    # Its weights alone are loaded from the file in it.
    "keras-folder": ("keras-archive", "keras-weights"),
}
_NAMES = {
    "tf-checkpoint": "TensorFlow checkpoint",
    "saved-model": "SavedModel",
    "tf1-checkpoint": "TensorFlow 1 checkpoint",
    "weights-h5": "Keras weights file",
    "sharded-weights": "sharded Keras weights",
    "legacy-h5": "legacy HDF5 file",
    "keras-archive": "Keras archive",
    "keras-folder": "unzipped Keras archive",
    "orbax": "Orbax checkpoint",
}
# The first Keras that loads such a file.
_SINCE = {"sharded-weights": "3.10", "keras-folder": "3.4"}
_ENDINGS = (".weights.h5", ".weights.json", ".h5", ".hdf5", ".keras")
# Where BackupAndRestore of Keras 2 has its checkpoints.
_CHIEF = "chief"
# What reading may take on top of a build's time: a slow disk.
_BYTES_A_SECOND = 20_000_000
# How many times smaller the disk itself may keep what it compresses; a file of holes is smaller still.
_COMPRESSED = 16


class Checkpoint(msgspec.Struct, frozen=True):
    """What the probe found; `restore_guard.probe.contents.Contents` tells what each part means.

    `failure` says why nothing is known of the file: it could not be read, which is not its fault.
    """

    file: str
    kind: str | None = None
    usage: str | None = None
    damage: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_finite: dict[str, tuple[int, int]] = {}
    tables: dict[str, str] = {}
    tensors: int = 0
    bytes: int = 0
    addresses: dict[str, str] = {}
    signature: Signature | None = None
    failure: str | None = None

    @property
    def state(self) -> State:
        """`intact` where checksums cover every byte that matters; `readable` where nothing wrong was found."""
        if self.failure is not None:
            return "unread"
        return "damaged" if self.damage else "readable" if self.unverified else "intact"

    @property
    def content(self) -> tuple[str, Signature]:
        """Its kind, and what it holds. Raises ValueError where nothing in it restores."""
        if self.kind is None or self.signature is None:
            raise ValueError(f"{self.file} holds nothing that restores")
        return self.kind, self.signature

    @property
    def name(self) -> str:
        """Without its folder: what a manifest may say of it."""
        return Path(self.file).name

    @property
    def format(self) -> str:
        return _NAMES.get(self.kind or "", "unknown format")

    def refused_by(self, model: Signature) -> str | None:
        """Why the Keras of a model loads no file of this format; None where it does."""
        from packaging.version import Version

        since, tree = _SINCE.get(self.kind or ""), model.keras_tree
        if since is None or tree is None:
            return None
        own = model.framework.get("keras", "") if tree.generation == 3 else ""
        if own and Version(own) >= Version(since):
            return None
        return f"Keras {own or 2} does not load this format ({self.format}), which Keras has since {since}"

    @property
    def restore_paths(self) -> tuple[RestorePath, ...]:
        """The restore paths that load such a file, as far as this version judges them."""
        return tuple(path for path in _PATHS.get(self.kind or "", ()) if path in RESTORE_PATHS)


def files(path: str) -> tuple[list[str], bool]:
    """The checkpoints that a path names, and whether it is a folder of them: those of a CheckpointManager, or files.

    What is in a folder is in the order of the numbers in its names.
    """
    folder = Path(path)
    if not folder.is_dir() or _is_whole(folder):
        return [path], False
    prefixes = [index.with_suffix("") for index in folder.glob("*.index")]
    shards = {folder / name for index in folder.glob("*.weights.json") for name in _shards(index)}
    others = [file for file in folder.iterdir() if file.name.endswith(_ENDINGS) and file not in shards]
    found = sorted((*prefixes, *others), key=lambda file: [_number(part) for part in re.split(r"(\d+)", file.name)])
    if not found and (folder / _CHIEF).is_dir():
        return files(str(folder / _CHIEF))
    return [str(file) for file in found] or [path], bool(found)


def _is_whole(folder: Path) -> bool:
    """Whether a folder is a checkpoint itself: a SavedModel, or an unzipped `.keras`."""
    there = {path.name for path in folder.iterdir()}
    return bool(there & {"saved_model.pb", "variables"}) or {"config.json", "model.weights.h5"} <= there


def _shards(index: Path) -> set[str]:
    """The names of the shards of an index; none where it cannot be read, which reading it tells."""
    try:
        placed = msgspec.json.decode(index.read_bytes(), type=_Index).weight_map
    except (OSError, msgspec.DecodeError):
        return set()
    return {name for names in placed.values() for name in ([names] if isinstance(names, str) else names)}


class _Index(msgspec.Struct):
    """Of sharded weights (keras/src/saving/saving_lib.py `ShardedH5IOStore`)."""

    weight_map: dict[str, str | list[str]]


def _number(part: str) -> tuple[bool, int, str]:
    return (True, int(part), "") if part.isdigit() else (False, 0, part)


class Reading:
    """Files to be read: that they are there is told before any Python is looked for.

    Raises:
        UsageError: one of them is not there.
    """

    def __init__(self, paths: Sequence[str], timeout: float) -> None:
        self._paths = paths
        self._jobs = [job(str(number), path, timeout) for number, path in enumerate(paths)]

    def run(self, workshop: Workshop, python: Path) -> list[Checkpoint]:
        """What is in each of them, in their order; errors as `read`."""
        answers = workshop.run(python, self._jobs)
        return [read(answers[job.id], path) for job, path in zip(self._jobs, self._paths, strict=True)]


def job(number: str, path: str, timeout: float) -> Job:
    """The reading of a file, as a task for the probe.

    Raises:
        UsageError: there is no such file.
    """
    parts = [path, f"{path}.index", *glob.glob(f"{glob.escape(path)}.data-*-of-*")]
    if not any(map(os.path.exists, parts)):
        raise UsageError(
            f"{path}: there is no such checkpoint. Name a file, a folder, or what the files of a TensorFlow "
            "checkpoint begin with (ckpt-1 for ckpt-1.index)."
        )
    absolute = Path(os.path.abspath(path))
    size = sum(_size(file, path) for part in parts for file in _files(Path(part)))
    return Job(
        number,
        absolute.parent,
        timeout=timeout + size / _BYTES_A_SECOND,
        task="read",
        options={"checkpoint": str(absolute), "bytes": size},
    )


def _files(path: Path) -> list[Path]:
    """All that is there but folders."""
    found = path.rglob("*") if path.is_dir() else [path]
    return [file for file in found if file.exists() and not file.is_dir()]


def _size(file: Path, checkpoint: str) -> int:
    """How many bytes there are to read. Raises UsageError where the file has no end, as a pipe has none."""
    there = file.stat()
    if not stat.S_ISREG(there.st_mode):
        raise UsageError(f"{checkpoint}: {file.name} is no file but a pipe or a device. Name files that are stored.")
    stored: int = getattr(there, "st_blocks", there.st_size) * 512
    return min(there.st_size, max(stored, 4096) * _COMPRESSED)


def read(answer: Answer, path: str) -> Checkpoint:
    """What became of a `job`.

    A file over which the reader dies or hangs is a damaged one, unless something else ended the reader.

    Raises:
        UsageError: the file is none that can be asked about.
    """
    if answer.failure is not None:
        if answer.died:
            return Checkpoint(path, damage=(f"reading it fails: {answer.failure}",))
        return Checkpoint(path, failure=answer.failure)
    try:
        found = isolation.checked(answer.data, Checkpoint)
    except ValueError as error:
        return Checkpoint(path, failure=f"what was read of it cannot be understood: {error}")
    if found.usage is not None:
        raise UsageError(f"{found.usage}.")
    return found


def wanted(checkpoint: Checkpoint, paths: Mapping[str, object] | tuple[str, ...]) -> tuple[str, ...]:
    """The restore paths that a model is to be built for, so that a file can be judged.

    Only a model that promises a Saver is built as one where the format has another path too.
    """
    usual = checkpoint.restore_paths[:1]
    return tuple(path for path in checkpoint.restore_paths if path != "tf1-saver" or path in (*usual, *paths))


def promised(checkpoint: Checkpoint, paths: Mapping[str, object] | tuple[str, ...]) -> tuple[str, ...]:
    """The restore paths to judge a file by: those of its format that a model promises, else the usual one."""
    able = checkpoint.restore_paths
    return tuple(path for path in able if path in paths) or able[:1]
