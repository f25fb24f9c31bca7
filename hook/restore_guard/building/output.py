"""Puts finished files where they were asked for: all at once, and never over anything that is there."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from restore_guard import folders
from restore_guard.errors import UncheckedError, UsageError

# The index of sharded weights of Keras.
_SHARDED = ".weights.json"
_ASIDE = ".restore-guard-making-"


@contextlib.contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A folder for the work, on the disk that the result is for; it is gone afterwards, whatever happened.

    Raises:
        UsageError: nothing can be written there.
    """
    with contextlib.ExitStack() as stack:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            folders.remove_abandoned(out.parent, _ASIDE)
            folder = stack.enter_context(folders.temporary(out.parent, _ASIDE))
        except OSError as error:
            raise UsageError(f"{out.parent} cannot be written to: {error.strerror}.") from error
        yield folder


def taken(out: Path) -> bool:
    """Whether something is where a file, a folder or a checkpoint of several files of this name would be."""
    return os.path.lexists(out) or any(out.parent.glob(f"{_literal(out.name)}.index")) or bool(_shards(out))


def place(made: Path, out: Path) -> None:
    """Moves a file, a folder or a checkpoint of several files (the index last: without it nothing is there).

    Sharded weights of Keras have the name of `out` already, since their index has it in it.

    Raises:
        UsageError: something of this name has come there in the meantime.
        UncheckedError: the disk refuses.
    """
    if out.name.endswith(_SHARDED):
        moves = [(part, out.with_name(part.name)) for part in (*_shards(made), made)]
    elif made.exists():
        moves = [(made, out)]
    else:
        moves = [(part, out.with_name(out.name + part.name.removeprefix(made.name))) for part in _parts(made)]
    done: list[Path] = []
    try:
        for source, target in moves:
            _move(source, target)
            done.append(target)
    except OSError as error:
        for target in done:
            target.unlink()
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise UsageError(f"{out} exists already, and is never overwritten.") from error
        raise UncheckedError(f"{out} cannot be written: {error.strerror}.") from error


def copy_state(source: Path, folder: Path) -> None:
    """What a folder tells of its checkpoints: their order, with names in the same folder, and the epoch of a backup."""
    backup = source / "training_metadata.json"
    if backup.is_file():
        shutil.copyfile(backup, folder / backup.name)
    state = source / "checkpoint"
    if state.is_file():
        text = state.read_text(encoding="utf-8")
        here = re.sub(r'(_paths?: )"(?:.*[/\\])?([^"/\\]+)"', r'\1"\2"', text)
        (folder / "checkpoint").write_text(here, encoding="utf-8")


def _move(source: Path, target: Path) -> None:
    """Renames where nothing is: a link fails over an existing file where a rename would replace it."""
    if source.is_dir():
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "exists", str(target))
        os.rename(source, target)
        return
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno == errno.EEXIST or os.path.lexists(target):
            raise
        os.rename(source, target)  # a disk without links
    else:
        source.unlink()


def _parts(prefix: Path) -> list[Path]:
    return [*_shards(prefix), prefix.with_name(f"{prefix.name}.index")]


def _shards(prefix: Path) -> list[Path]:
    if prefix.name.endswith(_SHARDED):
        return sorted(prefix.parent.glob(f"{_literal(prefix.name.removesuffix(_SHARDED))}_[0-9]*.weights.h5"))
    return sorted(prefix.parent.glob(f"{_literal(prefix.name)}.data-*-of-*"))


def _literal(name: str) -> str:
    """A name as a pattern that matches only it."""
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in name)
