"""git is started here alone: each repository, work tree and index is named, and no setting of the user's changes what a
command writes.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Sequence
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


SECONDS = 600
"""No command takes so long that ends at all: a filter of the user's may hang, as a pipe does in the place of a file."""


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

    Raises:
        UncheckedError: it hangs; it is ended with all that it has started.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or KEPT.match(name)}
    process = subprocess.Popen(
        [git.Git.GIT_PYTHON_GIT_EXECUTABLE or "git", *PLAIN, *arguments],
        cwd=folder,
        env={**kept, "LC_ALL": "C", **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0 if os.name == "posix" else None,
    )
    try:
        output, problem = process.communicate(stdin, SECONDS)
    except subprocess.TimeoutExpired as error:
        _end(process)
        raise UncheckedError(
            f"git {shown(arguments)} took longer than {SECONDS} seconds in {folder} and was stopped: one of git's "
            "filters hangs (git config --get-regexp filter), or one of its files is a pipe"
        ) from error
    except BaseException:
        _end(process)
        raise
    return Done(process.returncode, output, os.fsdecode(problem).strip())


def shown(arguments: Sequence[str]) -> str:
    """A command for a person: without the settings that every command has."""
    words = iter(arguments)
    return " ".join(word for word in words if word != "-c" or not next(words, ""))


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()
