"""The migrations of a model while branches are merged: both sides have numbered their epochs from where they parted."""

from __future__ import annotations

import posixpath

import tomlkit.exceptions

from restore_guard.change import merges
from restore_guard.change.repository import Repository
from restore_guard.commands.settling import Promises
from restore_guard.promise.merging import renumbered
from restore_guard.promise.migrations import MigrationError, Migrations, parse
from restore_guard.promise.migrations_text import joined
from restore_guard.promise.project import Project


def of_merge(repository: Repository, project: Project, name: str, promises: Promises) -> Migrations | None:
    """The migrations of both sides, those of the other side renumbered as the joined history is.

    None where nothing is merged, where one side alone has changed them, and where a person has joined them already.

    Raises:
        MigrationError: those of one side cannot be read.
    """
    if promises.theirs is None or promises.current is None:
        return None
    if isinstance(project.migrations(name), Migrations):
        return None
    file = project.migrations_file(name)
    sides = merges.of(repository, posixpath.normpath(posixpath.join(repository.project, file)))
    if sides is None or sides.ours is None or sides.theirs is None:
        return None
    numbers = renumbered(promises.ancestor, promises.current, promises.theirs)
    try:
        text = joined(sides.ours.decode(), sides.theirs.decode(), numbers)
    except (UnicodeDecodeError, tomlkit.exceptions.ParseError) as error:
        raise MigrationError(file, 1, f"the migrations of one side of the merge cannot be read: {error}.") from error
    return parse(text.encode(), file)
