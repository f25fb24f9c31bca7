"""Whose Python builds: the one that has the user's TensorFlow, never the hook's own unless it has TensorFlow too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from restore_guard.environments import managers, variables
from restore_guard.environments.managers import python_of
from restore_guard.errors import UncheckedError, UsageError

LINE_TO_ADD = 'name the Python that has it, in [tool.restore-guard] of pyproject.toml: python = ".venv/bin/python"'


class Interpreter(msgspec.Struct, frozen=True):
    """A Python and the reason for which it was taken."""

    path: Path
    reason: str


def choose(configured: str | None, project: Path, environ: Mapping[str, str]) -> Interpreter:
    """Returns the Python that builds.

    Args:
        configured: `python` of the configuration: a path, from the project's folder, or a command. The
            variable RESTORE_GUARD_PYTHON, which action.yml sets, wins over it.
        project: the folder of the configuration in the user's work tree.

    Raises:
        UsageError: the configured Python does not exist.
        UncheckedError: no Python with TensorFlow was found, or the environment that the project asks for has none;
            names what was looked at and the line to add.
    """
    folders = [project, *_in_main_worktree(project)]
    given = environ.get("RESTORE_GUARD_PYTHON")
    if named := given or configured:
        path = next((found for folder in folders if (found := _resolve(named, folder, environ))), None)
        if path is None:
            said = f"RESTORE_GUARD_PYTHON={given}" if given else f'python = "{configured}"'
            raise UsageError(f"{said}: there is no such Python, seen from {project}.")
        return Interpreter(path, "RESTORE_GUARD_PYTHON names it" if given else "the configuration names it")
    looked_at = []
    users = _without_own(environ)
    for folder in folders:
        for managed in managers.asked_for(folder, users):
            if managed.python is None:
                looked_at.append(f"{managed.reason}, is not there in {folder} (`{managed.make}` makes it)")
            elif has_tensorflow(managed.python, environ):
                return Interpreter(managed.python, managed.reason)
            else:
                # Building with whatever other TensorFlow is around would judge by the wrong one.
                raise UncheckedError(
                    f"{managed.python} ({managed.reason}) has no TensorFlow to build the models with. "
                    f"Add it (`{managed.add}`), or {LINE_TO_ADD}"
                )
    for interpreter in _candidates(folders, users):
        if has_tensorflow(interpreter.path, environ):
            return interpreter
        looked_at.append(f"{interpreter.path} ({interpreter.reason}) has no TensorFlow")
    raise UncheckedError(
        f"No Python with TensorFlow was found to build the models. {'; '.join(looked_at)}. Install it, or {LINE_TO_ADD}"
    )


def _candidates(folders: list[Path], environ: Mapping[str, str]) -> Iterator[Interpreter]:
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    active = [Path(environ[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if environ.get(name)]
    # pre-commit overwrites VIRTUAL_ENV; the folder of the user's environment stays on PATH.
    active += [Path(entry).parent for entry in path if (Path(entry).parent / "pyvenv.cfg").is_file()]
    places = [(folder, "the active environment") for folder in active]
    places += [(folder / name, f"{name} in the project") for folder in folders for name in (".venv", "venv")]
    seen = set()
    for folder, reason in places:
        python = python_of(folder)
        if python is not None and python not in seen:
            seen.add(python)
            yield Interpreter(python, reason)
    for entry in path:
        found = shutil.which("python3", path=entry) or shutil.which("python", path=entry)
        # The same environment is not asked twice, by whichever of its names.
        if found and not {Path(found), Path(found).with_name("python")} & seen:
            seen.add(Path(found))
            yield Interpreter(Path(found), "found on PATH")
    yield Interpreter(Path(sys.executable), "restore-guard's own")


def _without_own(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's environment: a hook's own comes first on PATH and as VIRTUAL_ENV, and is not the user's."""
    if not environ.get("PRE_COMMIT"):
        return dict(environ)
    own = Path(sys.prefix).resolve()
    kept = {
        name: value
        for name, value in environ.items()
        if name not in ("VIRTUAL_ENV", "CONDA_PREFIX") or Path(value).resolve() != own
    }
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    return kept | {"PATH": os.pathsep.join(entry for entry in path if Path(entry).resolve().parent != own)}


def _in_main_worktree(project: Path) -> list[Path]:
    """The same folder of the main work tree where `project` is in a linked one, which has no environment of its own."""
    for root in (project, *project.parents):
        if (root / ".git").is_dir():
            break
        if (root / ".git").is_file():
            # "gitdir: MAIN/.git/worktrees/NAME"; of a submodule, a folder without the file commondir
            git_dir = root / (root / ".git").read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            if (git_dir / "commondir").is_file():
                common = git_dir / (git_dir / "commondir").read_text(encoding="utf-8").strip()
                return [Path(os.path.normpath(common)).parent / project.relative_to(root)]
            break
    return []


def _resolve(configured: str, project: Path, environ: Mapping[str, str]) -> Path | None:
    # Not resolved: a virtual environment's python is a link, and what it links to has no packages.
    path = project / configured
    if path.is_file():
        return path
    if folder := managers.environment_named(configured):
        return managers.python_of(project / folder)
    if os.sep in configured or "/" in configured:
        return None
    found = shutil.which(configured, path=environ.get("PATH"))
    return Path(found) if found else None


def has_tensorflow(python: Path, environ: Mapping[str, str]) -> bool:
    """Whether TensorFlow is installed for a Python; it is not imported."""
    # A folder that an uninstalled package left behind is found too, but has no file to import.
    question = (
        "import importlib.util, sys; spec = importlib.util.find_spec('tensorflow'); "
        "sys.exit(spec is None or spec.origin is None)"
    )
    try:
        done = subprocess.run(
            [python, "-B", "-c", question],  # asking writes nothing into the environment
            cwd=python.parent,
            # It may lie in the repository, and runs the start-up files that lie beside it.
            env=variables.harmless(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
