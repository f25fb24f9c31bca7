"""The project as a builder on the command line makes it: a model that no configuration names."""

from __future__ import annotations

import json
from typing import NamedTuple

import msgspec

from restore_guard import config
from restore_guard.change.repository import Repository
from restore_guard.config import Config
from restore_guard.errors import UsageError
from restore_guard.promise.project import NotConfiguredError, Project, load

_SOURCES = ("src", "lib", "python")
"""Folders that modules are imported from, by custom."""


class Builder(NamedTuple):
    """`package.module:function`, and its arguments as JSON."""

    function: str
    kwargs: str = "{}"


def project(repository: Repository, builder: Builder | None) -> Project:
    """The project on disk: as it is configured, or with this one model, for which its other settings count.

    Raises:
        UsageError: wrong configuration; no such function or arguments.
    """
    side = repository.worktree()
    if builder is None:
        return load(repository, side)
    model = config.of_builder(builder.function, _kwargs(builder.kwargs))
    try:
        settings = load(repository, side).config
    except NotConfiguredError:
        settings = Config(pythonpath=_folders(repository, builder.function))
    settings = msgspec.structs.replace(settings, models={builder.function: model})
    return Project(side, "--builder", settings, repository.reader(side))


def _kwargs(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--kwargs: not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"--kwargs: expected an object such as '{{\"width\": 64}}', found {text}")
    return found


def _folders(repository: Repository, function: str) -> tuple[str, ...]:
    """Where the module lies, if not in the project's own folder."""
    top = function.partition(":")[0].partition(".")[0]
    root = repository.root / repository.project
    return tuple(
        folder
        for folder in _SOURCES
        if not (root / top).exists() and not (root / f"{top}.py").exists()
        if (root / folder / top).is_dir() or (root / folder / f"{top}.py").is_file()
    )
