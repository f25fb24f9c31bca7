"""Builds of the files on disk, which may write nothing there: what tries is built from a copy of them."""

from __future__ import annotations

import contextlib
import posixpath
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from restore_guard.build import Build, Job
from restore_guard.change.repository import Repository

# Bytes; a larger file is no source, and a copy of the files on disk has a link to it.
_LARGE = 1_000_000
# Files to be written over that are found out about one after the other.
_TIMES = 4


class Apart:
    """A copy of the files on disk, made when it is first needed.

    Args:
        folder: gives an empty folder.
        more: gives files that git ignores, relative to the project, which the copy has as well.
    """

    def __init__(self, repository: Repository, folder: Callable[[], Path], more: Callable[[], Sequence[str]]) -> None:
        self.repository, self._folder, self._more = repository, folder, more

    @cached_property
    def _copy(self) -> Path:
        more = [posixpath.normpath(posixpath.join(self.repository.project, path)) for path in self._more()]
        return copied(self.repository, self._folder(), more).resolve()

    def again(
        self, jobs: Sequence[Job], built: Mapping[str, Build], run: Callable[[Sequence[Job]], Mapping[str, Build]]
    ) -> dict[str, Build]:
        """{job's id: Build} of jobs in the work tree: those that would have written there are done in the copy.

        Args:
            built: what became of the jobs.
            run: does jobs.
        """
        done = {job.id: built[job.id] for job in jobs}
        waiting = [job for job in jobs if done[job.id].writes is not None]
        if not waiting:
            return done
        from restore_guard.probe.tracing.protection import PROGRAM  # which few checks need

        for job in waiting:
            self._unlink(done[job.id])
        if any(done[job.id].writes == PROGRAM for job in waiting):
            self._unlink_all()
        for _ in range(_TIMES):
            if waiting:
                done |= run([self.moved(job) for job in waiting])
            waiting = [job for job in waiting if self._unlink(done[job.id])]
        return done

    def moved(self, job: Job) -> Job:
        """A job in the work tree, to be done in the copy."""
        root, top, copy = job.root.resolve(), self.repository.root.resolve(), self._copy
        return job if root.is_relative_to(copy) else replace(job, root=copy / root.relative_to(top))

    def _unlink(self, build: Build) -> bool:
        """Makes what a build would write over a file of the copy's own; returns whether that was a link."""
        place = self._copy / (build.writes or "")
        if not (place.is_symlink() and place.parent.resolve().is_relative_to(self._copy)):
            return False
        _as_file(place)
        return True

    def _unlink_all(self) -> None:
        """Makes all files the copy's own: nobody hears what a program writes over."""
        for place in self._copy.rglob("*"):
            if place.is_symlink():
                _as_file(place)


def _as_file(link: Path) -> None:
    content = link.resolve()
    link.unlink()
    with contextlib.suppress(OSError):
        shutil.copy2(content, link)


def copied(repository: Repository, folder: Path, more: Sequence[str] = ()) -> Path:
    """Copies the files on disk into an empty folder, and returns it."""
    for path in dict.fromkeys([*repository.files(repository.worktree()), *more]):
        source, target = repository.root / path, folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.stat().st_size > _LARGE:
            with contextlib.suppress(OSError):  # not everybody may make links on Windows
                target.symlink_to(source)
                continue
        shutil.copy2(source, target)
    return folder
