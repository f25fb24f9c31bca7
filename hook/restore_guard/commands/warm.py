"""Keeps the Python warm that builds a project's models, and ends what is kept warm."""

from __future__ import annotations

from restore_guard.building import isolation, pythons, warm
from restore_guard.building.warm import Kept
from restore_guard.change.run import Run
from restore_guard.errors import UsageError
from restore_guard.promise.project import load


def keep(run: Run, seconds: float) -> Kept:
    """Keeps the Python warm by which the files on disk are built, until nobody has used it for so many seconds.

    Raises:
        UsageError: in CI, where no Python can be kept, or without a configuration.
        UncheckedError: it does not start, or there is none.
    """
    if warm.in_ci(run.environ):
        raise UsageError("no Python is kept warm in CI, where every job begins anew.")
    project = load(run.repository, run.repository.worktree())
    python = pythons.of_side(run, project.config, project.side)
    run.progress(f"importing TensorFlow ({python})")
    return warm.keep(python, isolation.environment(run.environ), seconds)


def status() -> list[Kept]:
    """All Pythons that this user keeps warm."""
    return list(warm.kept())


def stop() -> list[Kept]:
    """Ends them all, and returns what they were."""
    found = list(warm.kept())
    for one in found:
        warm.stop(one)
    return found
