"""What a commit wants installed: the file that says so, and what uv is to be given of it. Text alone, nothing runs."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from restore_guard import requirement_files
from restore_guard.environments import translated
from restore_guard.errors import UncheckedError

Read = Callable[[str], bytes | None]

WANTED, LIMITS = "restore-guard-wanted.txt", "restore-guard-limits.txt"
"""Requirements and constraints that are made of a file which uv does not read."""

KINDS = (
    *("uv.lock", "pylock.toml", "pylock.*.toml", "requirements*.txt", "requirements*.in", "requirements*.lock"),
    *("poetry.lock", "pdm.lock", "Pipfile.lock", "pyproject.toml", "environment*.yml", "environment*.yaml"),
)
"""Patterns of the files that an environment can be made from, the most exact first."""

_AT_THE_ROOT = [kind.replace("*", "") for kind in KINDS if kind != "pylock.*.toml"]
_TRANSLATED = {
    "poetry.lock": translated.of_poetry,
    "pdm.lock": translated.of_pdm,
    "Pipfile.lock": translated.of_pipenv,
    "environment.yml": translated.of_conda,
}


class Lock(msgspec.Struct, frozen=True):
    """What one commit's environment is made from.

    Attributes:
        file: what the commit's environment is told by.
        contents: {file: content} of all that decides it: included files, the project's pyproject.toml. Paths are
            relative to the project; of a project that is a folder of a repository they may begin with `../`.
        python: the version of Python that the commit asks for, or None.
        arguments: what uv is given in place of the file itself.
        resolved: the file that uv is to write first, by these arguments, and then to install; "" where it installs
            by them.
    """

    file: str
    contents: Mapping[str, bytes]
    python: str | None
    arguments: tuple[str, ...] = ()
    resolved: str = ""


def lock_of(
    read: Read, named: Sequence[str] = (), holds: Callable[[str, bytes], bool] = lambda file, content: True
) -> Lock:
    """Returns the lock of the side that `read` gives files of.

    Args:
        named: files that may be it beside those at the root of the project.
        holds: whether a file asks for what the environment is made for.

    Raises:
        UncheckedError: the side has none that can be installed.
    """
    there = [(file, content) for file in _candidates(named) if (content := read(file)) is not None]
    chosen = next(((file, content) for file, content in there if holds(file, content)), None)
    if chosen is None:
        known = ", ".join(dict.fromkeys(_AT_THE_ROOT))
        raise UncheckedError(
            f"An environment with TensorFlow needs one of {known} that asks for it, and there is none."
        )
    file, content = chosen
    kind = _kind(file)
    if kind in _TRANSLATED:
        wanted, limits, python = _TRANSLATED[kind](
            content, read(posixpath.join(posixpath.dirname(file), "pyproject.toml"))
        )
        contents = {file: content, WANTED: _lines(wanted), LIMITS: _lines(limits)}
        return Lock(file, contents, _python(read) or python, ("--requirement", WANTED, "--constraint", LIMITS))
    included = _included(read, file, content) if kind.startswith("requirements") else _project(read)
    return Lock(file, {file: content, **dict(included)}, _python(read))


def rank(file: str) -> int:
    """How exact a file is among `KINDS`, 0 the most; their number for one that no environment is made from."""
    name = posixpath.basename(file)
    return next((number for number, kind in enumerate(KINDS) if fnmatchcase(name, kind)), len(KINDS))


def _candidates(named: Sequence[str]) -> list[str]:
    # `uv sync` knows the lock of the project that it stands in.
    usable = [file for file in named if rank(file) < len(KINDS) and (file == "uv.lock" or rank(file) > 0)]
    return sorted(dict.fromkeys([*usable, *_AT_THE_ROOT]), key=rank)


def _kind(file: str) -> str:
    name = posixpath.basename(file)
    return "environment.yml" if fnmatchcase(name, "environment*.y*ml") else name


def _lines(items: Sequence[str]) -> bytes:
    return "".join(f"{item}\n" for item in items).encode()


def _project(read: Read) -> Iterator[tuple[str, bytes]]:
    content = read("pyproject.toml")
    if content is not None:
        yield "pyproject.toml", content


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
