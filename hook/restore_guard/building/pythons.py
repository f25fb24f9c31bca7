"""Whose Python builds each side of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from restore_guard.change.environment_files import is_framework
from restore_guard.change.pins_moved import Move, pins
from restore_guard.change.run import Run
from restore_guard.change.states import Side
from restore_guard.config import Config
from restore_guard.environments import installed, interpreters, locked, lockfiles, variables
from restore_guard.errors import UncheckedError

if TYPE_CHECKING:
    from packaging.requirements import Requirement


class Pythons(msgspec.Struct, frozen=True):
    """Who builds what.

    Attributes:
        of: {side: the Python that builds it}.
        apart: whether each side has an environment of its own.
        why_shared: why one Python builds both sides although the change moves TensorFlow or Keras; None where it does
            not, or where nobody asked for more.
    """

    of: Mapping[Side, Path]
    apart: bool = False
    why_shared: str | None = None


def of_side(run: Run, config: Config, side: Side) -> Path:
    """The Python that builds one side alone.

    Raises:
        UncheckedError, UsageError: there is no such Python, or it cannot be made.
    """
    return of_change(run, config, [side]).of[side]


def of_change(run: Run, config: Config, sides: Sequence[Side], moves: Sequence[Move] = ()) -> Pythons:
    """One Python for all sides, unless the environment of each commit is to decide.

    With `environment = "auto"` that is where the change moves TensorFlow or Keras, and where the environments can be
    made.

    Args:
        moves: the packages that the change asks for in another version.

    Raises:
        UncheckedError, UsageError: there is no such Python, or it cannot be made.
    """
    if config.environment == "per-commit":
        return Pythons(_made(run, sides, None, ()), apart=True)
    files = [move.file for move in moves if is_framework(move.package)]
    why_shared = None
    if config.environment == "auto" and files and len(sides) > 1:
        try:
            return Pythons(_made(run, sides, _shared_if_any(run, config), files), apart=True)
        except UncheckedError as error:
            why_shared = str(error)
    return Pythons(dict.fromkeys(sides, _shared(run, config)), why_shared=why_shared)


class Today(msgspec.Struct, frozen=True):
    """What a rehearsed move starts from.

    Attributes:
        python: the one that builds today; made from the lock file where what is installed is not what that asks for.
        lock: what the project's files want installed.
        installed: {package: version} of that Python.
    """

    python: Path
    lock: lockfiles.Lock
    installed: Mapping[str, str]


def today(run: Run, config: Config, side: Side) -> Today:
    """What builds the models now, and what it was installed from.

    Raises:
        UncheckedError, UsageError: the project has no file that asks for TensorFlow or Keras, or there is no Python
            with it and none can be made.
    """
    read = run.repository.reader(side)
    lock = lockfiles.lock_of(read, holds=_holds_framework)
    wanted = asked(read)
    python = _shared_if_any(run, config)
    found = _installed(run, python) if python is not None else {}
    if python is None or any(name in found and found[name] != version for name, version in wanted.items()):
        run.progress(f"making the environment of today from {lock.file}")
        python = locked.python(lock, run.environ, python)
        _demand_tensorflow(run, python, lock)
        found = _installed(run, python)
    return Today(python, lock, found)


def moved(run: Run, start: Today, requirements: Sequence[Requirement]) -> tuple[Path, dict[str, str]]:
    """(the Python of an environment with these requirements in place of today's, {package: version} in it).

    Raises:
        UncheckedError: uv is missing or cannot make it, or there is no TensorFlow in it.
    """
    from restore_guard.environments import overridden  # packaging and tomlkit, which no check needs

    lock = overridden.overridden(start.lock, requirements, start.installed)
    run.progress(f"making an environment with {', '.join(map(str, requirements))}")
    python = locked.python(lock, run.environ, start.python)
    _demand_tensorflow(run, python, lock)
    return python, _installed(run, python)


def _demand_tensorflow(run: Run, python: Path, lock: lockfiles.Lock) -> None:
    if not interpreters.has_tensorflow(python, run.environ):
        raise UncheckedError(f"The environment that {lock.file} asks for has no TensorFlow.")


def _installed(run: Run, python: Path) -> dict[str, str]:
    found = installed.ask(python, variables.harmless(run.environ))
    return found.versions if found is not None else {}


def asked(read: lockfiles.Read) -> dict[str, str]:
    """{TensorFlow or Keras: the exact version that a side's files ask for}, as far as they do."""
    try:
        lock = lockfiles.lock_of(read, holds=_holds_framework)
    except UncheckedError:
        return {}
    found = pins(lock.file, lock.contents[lock.file])
    return {name: version for name, version in found.items() if is_framework(name) and version[:1].isdigit()}


def _shared(run: Run, config: Config) -> Path:
    return interpreters.choose(config.python, run.folder, run.environ).path


def _shared_if_any(run: Run, config: Config) -> Path | None:
    """The environments of commits need no other one."""
    try:
        return _shared(run, config)
    except UncheckedError:
        return None


def _made(run: Run, sides: Sequence[Side], like: Path | None, files: Sequence[str]) -> dict[Side, Path]:
    """{side: the Python of its own environment}.

    Args:
        like: a Python of the version that is taken where a commit asks for none.
        files: which files tell of frameworks, beside those at the root of the project.
    """
    made = {}
    for side in sides:
        lock = lockfiles.lock_of(run.repository.reader(side), files, _holds_framework if files else lambda *_: True)
        run.progress(f"making the environment {side.where} from {lock.file}")
        made[side] = locked.python(lock, run.environ, like)
        if files:
            _demand_tensorflow(run, made[side], lock)
    return made


def _holds_framework(file: str, content: bytes) -> bool:
    return any(is_framework(package) for package in pins(file, content))
