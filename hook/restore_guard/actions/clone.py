"""The runner's clone: finds commits in it, and fetches those that a shallow one lacks.

Complete clones are never made shallow: a depth is only given where there already is one.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from restore_guard.errors import UncheckedError, UsageError

DEPTHS = (100, 1000, 10_000)
"""How far a shallow clone is deepened, step by step, until two branches meet."""


class Clone:
    """A git repository as actions/checkout leaves it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def commit(self, name: str) -> str | None:
        """The sha of a commit that is here."""
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
        except UncheckedError:
            return None

    def parents(self, commit: str) -> list[str]:
        """The parents that a commit names: at depth 1 they are not in the clone, and git log hides them."""
        header = self._git("cat-file", "-p", commit).partition("\n\n")[0]
        return re.findall(r"^parent (\w+)$", header, re.MULTILINE)

    def fetch(self, name: str, remote: str = "origin") -> str:
        """Returns the sha of a commit, tag or branch of the remote, brought here.

        Raises:
            UsageError: the name is an option or a pair of refs.
            UncheckedError: the remote does not give it.
        """
        if re.search(r"^[-+]|[:\s]", name):
            raise UsageError(f"{name!r} names no commit.")
        self._fetch(remote, ["--depth=1"] if self.is_shallow() else [], name)
        return self._git("rev-parse", "--verify", "FETCH_HEAD^{commit}").strip()

    def merge_base(self, one: str, other: str, remote: str = "origin") -> str | None:
        """The commit where two others have met last, as the complete history shows it; None if they never have.

        Args:
            one: a commit of origin.
            other: a commit of `remote`.

        Raises:
            UncheckedError: a shallow clone cannot be deepened so far.
        """
        for depth in (0, *DEPTHS):
            if depth:
                self._fetch("origin", [f"--depth={depth}"], one)
                self._fetch(remote, [f"--depth={depth}"], other)
            found = self._merge_base(one, other)
            if not self.is_shallow() or (found and self._is_complete(one, other, found)):
                return found
        raise UncheckedError(f"{one} and {other} do not meet within the last {DEPTHS[-1]} commits.")

    def is_shallow(self) -> bool:
        return self._git("rev-parse", "--is-shallow-repository").strip() == "true"

    def _merge_base(self, one: str, other: str) -> str | None:
        done = self._run("merge-base", one, other)
        return os.fsdecode(done.stdout).strip() or None

    def _is_complete(self, one: str, other: str, base: str) -> bool:
        """Whether nothing above the base is cut off: behind a cut there may be a later one."""
        cut = self.root / self._git("rev-parse", "--git-path", "shallow").strip()
        above = self._git("rev-list", one, other, f"^{base}")
        return not set(cut.read_text().split()) & set(above.split())

    def _fetch(self, remote: str, depth: list[str], name: str) -> None:
        self._git("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", *depth, "--", remote, name)

    def _git(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            raise UncheckedError(f"git {' '.join(arguments)} failed: {os.fsdecode(done.stderr).strip()}")
        return os.fsdecode(done.stdout)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
        )
