"""`init --merge-driver`: git's own settings say which program merges manifests, and nothing else of them is changed."""

from __future__ import annotations

import posixpath

from restore_guard.change import git_command
from restore_guard.change.repository import Repository
from restore_guard.errors import UncheckedError
from restore_guard.promise.project import load

ATTRIBUTES = ".gitattributes"
SETTINGS = {
    "merge.restore-guard.name": "manifests of restore-guard",
    "merge.restore-guard.driver": "restore-guard merge-manifest %O %A %B %P",
}


def set_up(repository: Repository) -> list[str]:
    """Writes the attribute, which is committed, and the settings of this clone; returns what was done.

    Raises:
        UsageError: restore-guard is not configured here.
        UncheckedError: git cannot write its settings.
    """
    project = load(repository, repository.worktree())
    line = f"{posixpath.join(project.config.manifests, '*.json')} merge=restore-guard"
    file = repository.root / repository.project / ATTRIBUTES
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    done = []
    if line not in before.splitlines():
        start = before if not before or before.endswith("\n") else f"{before}\n"
        file.write_text(f"{start}{line}\n", encoding="utf-8", newline="")
        done.append(f"{posixpath.join(repository.project, ATTRIBUTES)}: {line}")
    for name, value in SETTINGS.items():
        written = git_command.run("config", "--local", name, value, folder=repository.root)
        if written.status:
            raise UncheckedError(f"git config {name} failed in {repository.root}: {written.problem}")
        done.append(f"git config --local {name} {value!r}")
    return [*done, f"Commit {ATTRIBUTES}; each clone needs the settings: restore-guard init --merge-driver"]
