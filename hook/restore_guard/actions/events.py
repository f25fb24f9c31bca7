"""What an event of GitHub compares with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restore_guard.actions.clone import Clone
from restore_guard.commands.origin import PLACEHOLDER
from restore_guard.errors import UncheckedError, UsageError

REFUSED = {
    "pull_request_target": "it would run the pull request's Python with the secrets and the write token of the "
    "repository. Use the event pull_request.",
    "workflow_run": "it would run another workflow's code with the secrets and the write token of the repository. "
    "Use the event pull_request.",
}


def refuse(event: str) -> None:
    """Raises UsageError for an event under which no code of a stranger may run."""
    if event in REFUSED:
        raise UsageError(f"restore-guard does not run on {event}: {REFUSED[event]}")


def payload(environ: Mapping[str, str]) -> dict[str, Any]:
    """What GitHub wrote about the event; empty outside of GitHub Actions."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    try:
        content = json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UncheckedError(f"the event file {path} cannot be read: {error}") from error
    return content if isinstance(content, dict) else {}


def named(clone: Clone, name: str) -> str:
    """The sha of a commit that the workflow names, fetched if it is not here.

    Raises:
        UsageError: no name of a commit.
        UncheckedError: neither here nor at the remote.
    """
    # Of the remote-tracking branches, a shallow clone has only the one that was checked out.
    return clone.commit(name) or _fetched(clone, name.removeprefix("origin/"), f"the commit {name}", _deeper(0))


def newest(content: Mapping[str, Any]) -> str:
    """The sha of the commit that a pull request's event is about; UncheckedError where it names none."""
    return _sha(content, "pull_request", "head", "sha")


def base_of(event: str, content: Mapping[str, Any], clone: Clone, head: str) -> str | None:
    """Returns the sha of the commit that an event compares with; None where there is nothing before it.

    Args:
        content: the event's payload.
        head: the sha of the commit to check.

    Raises:
        UsageError: the event names no base.
        UncheckedError: the base cannot be had; says what to add to the workflow.
    """
    if event == "pull_request":
        return _base_of_pull_request(content, clone, head)
    if event == "push":
        return _base_of_push(content, clone, head)
    if event == "merge_group":
        return _here(clone, _sha(content, "merge_group", "base_sha"), "the base of the merge group", _deeper(0))
    raise UsageError(f"the event {event or '(none)'} does not say what to compare with. {NAME_THE_BASE}")


def _base_of_pull_request(content: Mapping[str, Any], clone: Clone, head: str) -> str:
    """The base as merged. The event's own `base.sha` goes stale when the base branch moves on."""
    tip = newest(content)
    parents = clone.parents(head)
    if len(parents) == 2 and parents[1] == tip:
        return _here(clone, parents[0], "the base of the pull request", _deeper(2))
    if head != tip:
        raise UncheckedError(
            f"the commit to check, {head}, is neither the merge commit of the pull request nor its head {tip}, so its "
            f"base is not known. Remove `ref:` from actions/checkout. Or name the base. {NAME_THE_BASE}"
        )
    # Checked out by hand: what the branch started from is what it changes.
    branch = _text(content, "pull_request", "base", "ref")
    base = _meeting(clone, head, branch, _remote_of_base(content))
    if base is None:
        raise UncheckedError(f"{head} has no commit in common with the branch {branch}. {NAME_THE_BASE}")
    return base


def _remote_of_base(content: Mapping[str, Any]) -> str:
    """Where the base branch is: if a fork was checked out, `origin` is the fork, and so may its branches be."""
    pull_request = content["pull_request"]
    base, head = (pull_request[side].get("repo") or {} for side in ("base", "head"))
    return "origin" if base.get("full_name") == head.get("full_name") else base.get("clone_url") or "origin"


def _base_of_push(content: Mapping[str, Any], clone: Clone, head: str) -> str | None:
    before = _sha(content, "before")
    if before.strip("0"):
        if content.get("forced"):
            return _here(clone, before, "what the forced push replaced", NAME_THE_BASE)
        return _here(clone, before, "the commit before the push", _deeper(0))
    # A new branch: what it changes is what it has more than the default branch.
    repository = content.get("repository") or {}
    default = repository.get("default_branch")
    if not default or content.get("ref") == f"refs/heads/{default}":
        return None
    base = _meeting(clone, head, default, "origin")
    return None if base == head else base


def _meeting(clone: Clone, head: str, branch: str, remote: str) -> str | None:
    """Where a commit and a branch of the remote have met last."""
    tip = _tip(clone, branch, remote)
    try:
        return clone.merge_base(head, tip, remote)
    except UncheckedError as error:
        raise UncheckedError(
            f"where {head} left the branch {branch} is not in this clone. {_deeper(0)}\n{error}"
        ) from error


def _tip(clone: Clone, branch: str, remote: str) -> str:
    """A branch of the remote; with all history, actions/checkout brings all, and may leave no token to fetch with."""
    if remote == "origin" and not clone.is_shallow() and (tip := clone.commit(f"refs/remotes/origin/{branch}")):
        return tip
    return _fetched(clone, f"refs/heads/{branch}", f"the branch {branch}", _deeper(0), remote)


def _here(clone: Clone, sha: str, what: str, advice: str) -> str:
    """A commit that the event names, fetched if it is not here."""
    return clone.commit(sha) or _fetched(clone, sha, f"{what}, {sha},", advice)


def _fetched(clone: Clone, name: str, what: str, advice: str, remote: str = "origin") -> str:
    try:
        return clone.fetch(name, remote)
    except UncheckedError as error:
        raise UncheckedError(f"{what} is not in this clone and could not be fetched. {advice}\n{error}") from error


def _deeper(depth: int) -> str:
    return "Let actions/checkout bring it:\n" + _yaml("actions/checkout@v5", f"fetch-depth: {depth}")


def _yaml(action: str, line: str) -> str:
    return f"    - uses: {action}\n      with:\n        {line}"


NAME_THE_BASE = "Name the commit, tag or branch whose checkpoints must still restore, for example:\n" + _yaml(
    f"{PLACEHOLDER}@v0", "base: main"
)


def _sha(content: Mapping[str, Any], *keys: str) -> str:
    value = _text(content, *keys)
    if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", value):
        raise UncheckedError(f"{'.'.join(keys)} of the event file is no commit.")
    return value


def _text(content: Mapping[str, Any], *keys: str) -> str:
    value: Any = content
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise UncheckedError(f"the event file has no {'.'.join(keys)}.")
    return value
