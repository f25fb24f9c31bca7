"""Where the project's folder was on another side: it may have moved since a base or a release."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from posixpath import basename, dirname, join

from restore_guard.change.places import TABLE
from restore_guard.config import OWN_FILE, SHARED_FILE
from restore_guard.errors import UncheckedError

Read = Callable[[str], bytes | None]


def folder(project: str, files: Callable[[], Iterable[str]], before: Read, now: Read) -> str:
    """The folder on a side: the project's of today, or the only one that was configured then and no longer is.

    Args:
        files: lists all files of the side; asked only where the project is not in its place.
        before, now: give the content of a file there and on disk.

    Raises:
        UncheckedError: several were.
    """
    if _is_configured(project, before):
        return project
    then = {dirname(path) for path in files() if basename(path) in (OWN_FILE, SHARED_FILE)}
    gone = [place for place in sorted(then) if _is_configured(place, before) and not _is_configured(place, now)]
    alike = [place for place in gone if basename(place) == basename(project)]
    found = alike if len(gone) > 1 else gone
    if len(gone) > 1 and len(alike) != 1:
        raise UncheckedError(
            f"restore-guard was configured in {', '.join(place or 'the root' for place in gone)} there and no longer "
            f"is, so which of them has become {project or 'the root'} cannot be told: move one project in a commit"
        )
    return found[0] if found else project


def _is_configured(place: str, read: Read) -> bool:
    content = read(join(place, SHARED_FILE))
    return (content is not None and TABLE.search(content) is not None) or read(join(place, OWN_FILE)) is not None
