"""Where a repository is on disk, and which of its folders configures restore-guard."""

import os
import re
from pathlib import Path

from restore_guard.change import git_command
from restore_guard.config import OWN_FILE, SHARED_FILE
from restore_guard.errors import UncheckedError, UsageError

TABLE = re.compile(rb"^ *\[\[?tool\.restore-guard", re.MULTILINE)
"""A table of ours in a pyproject.toml, in what re and git grep both understand."""

_UNKNOWN_FORMAT = re.compile(r"repo version|(repository|v1-only) extension")
"""What git says of a repository that it cannot read (git's setup.c, verify_repository_format)."""


def discover(folder: Path) -> tuple[Path, Path]:
    """Root of the work tree and git directory, of the disk rather than of the inherited GIT_DIR.

    With GIT_DIR set, git takes the current folder for the root and trusts every owner.
    """
    asked = ("--show-toplevel", "--absolute-git-dir")
    found = _said(folder, *asked).split("\n")
    if len(found) != len(asked):  # a path may hold a line break
        found = [_said(folder, each) for each in asked]
    root = Path(found[0])
    if not folder.is_relative_to(root):
        raise UsageError(
            f"{folder} is not in the work tree of its repository, which is {root} (core.worktree): run restore-guard "
            "there, or mend that setting of git's"
        )
    return root, Path(found[1])


def _said(folder: Path, *asked: str) -> str:
    done = git_command.run("rev-parse", *asked, folder=folder)
    if not done.status:
        return os.fsdecode(done.output).removesuffix("\n")
    if _UNKNOWN_FORMAT.search(done.problem):
        raise UncheckedError(
            f"{folder}: this git does not know the format of its repository, so nothing is checked: {done.problem}\n"
            "Update git, or mend core.repositoryformatversion and extensions.* in the repository's configuration."
        )
    if "must be run in a work tree" in done.problem:
        raise UsageError(
            f"{folder} is in a bare repository or in a git directory, which has no work tree: run restore-guard in a "
            "clone or a linked work tree (git worktree add), or mend core.bare where it should have one"
        )
    advice = "" if "safe.directory" in done.problem else "\nRun restore-guard inside the work tree of a repository."
    raise UsageError(f"{folder}: git finds no repository to work with here: {done.problem}{advice}")


def nearest_configured(folder: Path, root: Path) -> Path | None:
    around = [folder, *folder.parents]
    return next((each for each in around[: around.index(root) + 1] if _is_configured(each)), None)


def _is_configured(folder: Path) -> bool:
    shared = folder / SHARED_FILE
    return (folder / OWN_FILE).is_file() or (shared.is_file() and TABLE.search(shared.read_bytes()) is not None)
