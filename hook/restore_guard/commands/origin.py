"""Where this installation came from: what a hook's `repo` and `rev` must say to get the same one."""

from __future__ import annotations

import json
import subprocess
from importlib import metadata
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

PLACEHOLDER = "OWNER/restore-guard"
"""The repository's name until it has one; everything else that names it is made of this, or checked against it."""

OWNER = PLACEHOLDER.partition("/")[0]

SCHEMAS = "hook/restore_guard/schemas"
"""Where the repository publishes the schemas of its files."""

UNKNOWN = f"https://github.com/{PLACEHOLDER}"


class Origin(NamedTuple):
    """`known` is False where the address must be filled in by hand."""

    url: str
    revision: str
    known: bool = True

    @property
    def action(self) -> str | None:
        """`OWNER/NAME@REVISION` for a workflow; None where it is not on GitHub."""
        parts = urlsplit(self.url)
        path = parts.path.strip("/").removesuffix(".git")
        return f"{path}@{self.revision}" if parts.hostname == "github.com" and path.count("/") == 1 else None

    @property
    def schema(self) -> str | None:
        """Where an editor finds the schema of the configuration; None where it is not on GitHub."""
        path, _, revision = (self.action or ("" if self.known else f"{PLACEHOLDER}@main")).partition("@")
        return f"https://raw.githubusercontent.com/{path}/{revision}/{SCHEMAS}/config.json" if path else None


def recorded() -> Origin:
    """As pip recorded it: a commit of a repository, or a folder; an index names no repository."""
    distribution = metadata.distribution("restore-guard")
    recorded = json.loads(distribution.read_text("direct_url.json") or "{}")
    url = recorded.get("url", "")
    if commit := recorded.get("vcs_info", {}).get("commit_id"):
        return Origin(url.removeprefix("file://"), commit)
    if url.startswith("file://"):
        folder = unquote(urlsplit(url).path)
        revision = _git(folder, "rev-parse", "HEAD")
        if revision is not None:
            pushed = _git(folder, "branch", "--remotes", "--contains", revision)
            return Origin(pushed and _git(folder, "config", "remote.origin.url") or folder, revision)
    return Origin(UNKNOWN, f"v{distribution.version}", known=False)


def _git(folder: str, *arguments: str) -> str | None:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None
