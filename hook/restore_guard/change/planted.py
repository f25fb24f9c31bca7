"""A repository of the tool's own with two commits, which borrows the objects of the user's: no file is copied but
what is not committed there, and nothing of the user's is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from restore_guard.change import git_command
from restore_guard.change.repository import Repository
from restore_guard.errors import UncheckedError

_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0"}
_WHO = {f"GIT_{role}_{what}": "restore-guard" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def commits(
    repository: Repository, folder: Path, needed: Callable[[str], bool], base_files: Mapping[str, bytes]
) -> tuple[str, str]:
    """Makes (base, head) in `folder`: the head is the user's files as they are on disk.

    Args:
        folder: an empty one.
        needed: whether a file that was never committed belongs to the head; data need not.
        base_files: {path: content} of what the base has instead of all Python files.

    Raises:
        UncheckedError: git refuses; quotes what it says.
    """
    about: dict[str, str] = {**_SETTINGS, **_WHO}

    def git(*arguments: str, stdin: bytes = b"") -> str:
        done = git_command.run(*arguments, folder=folder, stdin=stdin, **about)
        if done.status:
            raise UncheckedError(f"git {arguments[0]} failed in a copy: {done.problem}")
        return os.fsdecode(done.output).strip()

    git("init", "--quiet", "--template=", f"--object-format={repository.object_format()}")
    borrowed = folder / ".git/objects/info/alternates"
    borrowed.parent.mkdir(parents=True, exist_ok=True)
    borrowed.write_bytes(os.fsencode(repository.objects()) + b"\n")
    about |= {"GIT_DIR": str(folder / ".git"), "GIT_WORK_TREE": str(repository.root)}
    before = repository.head()
    if before is not None and before.tree is not None:
        git("read-tree", before.tree)
    changed = [
        path
        for change in repository.changes(before, repository.worktree())
        if change.status != "A" or needed(change.path)
        for path in (change.old_path, change.path)
        if path is not None
    ]
    listed = b"".join(os.fsencode(path) + b"\0" for path in changed)
    git("update-index", "--add", "--remove", "-z", "--stdin", stdin=listed)
    head = git("commit-tree", git("write-tree"), "-m", "planted")
    git("rm", "-r", "--cached", "--quiet", "--ignore-unmatch", "--", ":(top,glob)**/*.py")
    for path, content in base_files.items():
        blob = git("hash-object", "-w", "--stdin", stdin=content)
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    return git("commit-tree", git("write-tree"), "-m", "planted"), head
