"""git is started here alone: each repository, work tree and index is named, and no setting of the user's changes what a
command writes.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from restore_guard.errors import UncheckedError

try:
    import git
except ImportError as error:  # GitPython looks for the git command when it is imported
    said = str(error).strip().splitlines()[0].rstrip(".")
    raise UncheckedError(f"git does not start: {said}. Install git, or mend PATH.") from error

PLAIN = [
    *("--no-pager", "-c", "color.ui=false", "-c", "submodule.recurse=false", "-c", "core.quotePath=true"),
    *("-c", "diff.ignoreSubmodules=none", "-c", f"diff.orderFile={os.devnull}", "-c", "diff.noprefix=false"),
]
"""Options of every command: what it writes is read by a program, whatever the user's settings prefer."""

QUIET = [
    # a git command that writes even a private index runs the user's post-index-change hook
    *("-c", f"core.hooksPath={os.devnull}"),
    # a split index would put its shared half into the user's git directory
    *("-c", "core.splitIndex=false"),
    # a file-system monitor answers for the user's work tree, whatever work tree the command is about
    *("-c", "core.fsmonitor=false"),
]
"""Options of the commands that work on a private index."""

NO_LFS = ["-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false"]
"""Options that leave the pointers of Git LFS as they are: git-lfs may not be on the PATH of a graphical client, or
download what no build reads."""

KEPT = re.compile(r"GIT_(CONFIG|SSH|SSL|ASKPASS|HTTP|PROXY|ALLOW_PROTOCOL|TERMINAL_PROMPT|EXEC_PATH)")
"""GIT_ variables that say how to reach a remote or whom to trust, not which repository is meant."""


class Done(NamedTuple):
    """How a command ended; `problem` is what it said of it."""

    status: int
    output: bytes
    problem: str


def objects(folder: Path) -> git.Git:
    """What reads many objects by one process, which `clear_cache` ends."""
    return git.Git(folder)


def run(*arguments: str, folder: Path, stdin: bytes = b"", **variables: str) -> Done:
    """Runs a command in a folder.

    Args:
        variables: GIT_ variables; of those that a hook inherits, none counts that says which repository is meant.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or KEPT.match(name)}
    done = subprocess.run(
        [git.Git.GIT_PYTHON_GIT_EXECUTABLE or "git", *PLAIN, *arguments],
        cwd=folder,
        env={**kept, "LC_ALL": "C", **variables},
        input=stdin,
        capture_output=True,
    )
    return Done(done.returncode, done.stdout, os.fsdecode(done.stderr).strip())
