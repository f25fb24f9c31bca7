"""What a commit wants installed: the file that says so, with all that it includes. Text alone, nothing runs."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from restore_guard import requirement_files
from restore_guard.errors import UncheckedError

Read = Callable[[str], bytes | None]

KINDS = ("uv.lock", "pylock.toml", "requirements.txt")
"""The files that an environment can be made from, the most exact first."""

EXPORTS = {
    "poetry.lock": "poetry export --output requirements.txt",
    "pdm.lock": "pdm export --output requirements.txt",
    "Pipfile.lock": "pipenv requirements > requirements.txt",
}


@dataclass(frozen=True)
class Lock:
    """What one commit's environment is made from.

    Attributes:
        file: one of `KINDS`.
        contents: {file: content} of all that decides it: included files, the project's pyproject.toml. Paths are
            relative to the project; of a project that is a folder of a repository they may begin with `../`.
        python: the version of Python that the commit asks for, or None.
    """

    file: str
    contents: Mapping[str, bytes]
    python: str | None


def lock_of(read: Read) -> Lock:
    """Returns the lock of the side that `read` gives files of.

    Raises:
        UncheckedError: the side has none that can be installed; names the command that makes one.
    """
    for file in KINDS:
        content = read(file)
        if content is not None:
            included = _included(read, file, content) if file == "requirements.txt" else _named(read, "pyproject.toml")
            return Lock(file, {file: content, **dict(included)}, _python(read))
    for file, command in EXPORTS.items():
        if read(file) is not None:
            raise UncheckedError(
                f'environment = "per-commit" cannot install {file}. Commit a requirements.txt beside it: {command}'
            )
    raise UncheckedError(f'environment = "per-commit" needs one of {", ".join(KINDS)}, and there is none.')


def _named(read: Read, file: str) -> Iterator[tuple[str, bytes]]:
    content = read(file)
    if content is not None:
        yield file, content


def _included(read: Read, file: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The files that a requirements file names with -r and -c, and those that they name.

    Raises:
        UncheckedError: the side has no such file: none of its repository, or none at all.
    """
    waiting, seen = [(file, content)], {file}
    while waiting:
        outer, text = waiting.pop()
        for entry in requirement_files.entries(text.decode(errors="replace")):
            if entry.kind not in ("install", "constrain") or requirement_files.is_address(entry.text):
                continue
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(outer), entry.text.replace("\\", "/")))
            found = read(inner) if not posixpath.isabs(inner) else None
            if found is None:
                raise UncheckedError(
                    f"{outer}:{entry.line}: {entry.text} is no file of the repository at this commit, so its "
                    "environment cannot be made. Commit it, or name one that is there."
                )
            if inner not in seen:
                seen.add(inner)
                waiting.append((inner, found))
                yield inner, found


def _python(read: Read) -> str | None:
    content = read(".python-version")
    lines = [line.strip() for line in (content or b"").decode(errors="replace").splitlines()]
    return next((line for line in lines if line and not line.startswith("#")), None)
