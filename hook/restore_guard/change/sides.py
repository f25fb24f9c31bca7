"""Which two states are compared: as the options say, else the hook that runs the command, else the files on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from restore_guard.change.repository import Repository
    from restore_guard.change.run import Run
    from restore_guard.change.states import Side


class Sides(NamedTuple):
    """The two states that are compared.

    Attributes:
        base: None where there is nothing before the head: the initial commit.
        notes: what a hook could not know, and so did not check.
    """

    base: Side | None
    head: Side
    notes: tuple[str, ...] = ()


def choose(
    run: Run,
    *,
    base: str | None = None,
    head: str | None = None,
    staged: bool = False,
    worktree: bool = False,
) -> Sides:
    """Returns what is compared.

    Raises:
        UncheckedError: a commit is not in this clone, or a merge is unresolved.
    """
    repository = run.repository
    if head is None and base is None and not staged and not worktree:
        pushed = hook_refs(run.environ)
        if pushed:
            return _pushed(repository, run.environ, *pushed)
        if run.environ.get("PRE_COMMIT"):
            return _staged(repository, run.environ)
    if head is not None:
        after = repository.commit(head)
        return Sides(repository.commit(base) if base is not None else repository.parent(after), after)
    before = repository.commit(base) if base is not None else repository.head()
    return Sides(before, repository.index() if staged else repository.worktree())


def hook_refs(environ: Mapping[str, str]) -> tuple[str | None, str] | None:
    """What pre-commit or prek says is being pushed, as (from, to); None in other stages.

    `from` is None where the root commit is pushed: of such a push, pre-commit only names the local branch.
    """
    to = environ.get("PRE_COMMIT_TO_REF") or environ.get("PRE_COMMIT_LOCAL_BRANCH")
    return (environ.get("PRE_COMMIT_FROM_REF") or None, to) if to else None


def _pushed(repository: Repository, environ: Mapping[str, str], old: str | None, new: str) -> Sides:
    after = repository.commit(new)
    notes = []
    if remote := environ.get("PRE_COMMIT_REMOTE_NAME"):
        # git names all refs of a push to its hook, pre-commit and prek only the first of them to theirs.
        others = repository.unpushed(after, remote)
        if others:
            notes.append(
                f"Of a push, a hook is told of one branch only. If {', '.join(others)} "
                f"{'is' if len(others) == 1 else 'are'} part of this push, what is there alone was not checked: "
                "push one branch at a time, or let the pull request check it."
            )
    return Sides(repository.commit(old) if old is not None else None, after, tuple(notes))


def _staged(repository: Repository, environ: Mapping[str, str]) -> Sides:
    before, after = repository.head(), repository.index()
    notes = []
    if before is not None and before.tree == after.tree and "GIT_INDEX_FILE" not in environ:
        # Not a commit but `pre-commit run`, as in CI: without this it would read as if the models had been checked.
        notes.append(
            "Nothing is staged, so no change was checked. To check commits: pre-commit run --from-ref BASE --to-ref "
            "HEAD, or restore-guard check --base BASE --head HEAD."
        )
    return Sides(before, after, tuple(notes))
