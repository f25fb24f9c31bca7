"""GitHub Actions: what an event compares, and where its reports go. `action.yml` runs this module.

Inputs come as environment variables, RESTORE_GUARD_<INPUT>; an empty one is not given.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from restore_guard.errors import RestoreGuardError, UncheckedError, UsageError

REFUSED = {
    "pull_request_target": "it would run the pull request's Python with the secrets and the write token of the "
    "repository. Use the event pull_request.",
    "workflow_run": "it would run another workflow's code with the secrets and the write token of the repository. "
    "Use the event pull_request.",
}


def main(environ: Mapping[str, str] = os.environ) -> int:
    """One check, reported as annotations, step summary and outputs; returns the exit code of `check`."""
    # A cancelled job cleans up as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        result = run(environ)
    except RestoreGuardError as error:
        _publish_error(error, environ)
        return error.exit_code
    publish(result, environ)
    return result.exit_code


def run(environ: Mapping[str, str]):
    """Returns the `Result` of the event's comparison.

    Raises:
        UsageError: an event that is refused, or one that names no base.
        UncheckedError: the base cannot be had.
    """
    event = environ.get("GITHUB_EVENT_NAME", "")
    if event in REFUSED:
        raise UsageError(f"restore-guard does not run on {event}: {REFUSED[event]}")

    from restore_guard import check
    from restore_guard.progress import Progress
    from restore_guard.repository import Repository

    with Repository(environ.get("RESTORE_GUARD_WORKING_DIRECTORY") or ".") as repository:
        base = environ.get("RESTORE_GUARD_BASE") or base_of(event, payload(environ), repository.root)
        if base is not None:
            base = fetch(repository.root, base)
        head = environ.get("RESTORE_GUARD_HEAD") or "HEAD"
        with Progress(sys.stderr) as progress:
            return check.check(
                repository,
                repository.commit(base) if base is not None else None,
                repository.commit(head),
                names=environ.get("RESTORE_GUARD_MODELS", "").split(),
                environ=environ,
                progress=progress,
            )


# --- what is compared ----------------------------------------------------------------------------------------


def payload(environ: Mapping[str, str]) -> dict[str, Any]:
    """What GitHub wrote about the event; empty outside of GitHub Actions."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    try:
        event = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise UncheckedError(f"the event file {path} cannot be read: {error}") from error
    return event if isinstance(event, dict) else {}


def base_of(event: str, content: Mapping[str, Any], root: Path) -> str | None:
    """Returns the sha of the commit that an event compares with; None for the first push of a branch.

    Raises:
        UsageError: the event names no base.
        UncheckedError: the checkout does not show it.
    """
    if event == "pull_request":
        return _base_of_pull_request(_sha(content, "pull_request", "head", "sha"), root)
    if event == "push":
        before = _sha(content, "before")
        return before if before.strip("0") else None
    if event == "merge_group":
        return _sha(content, "merge_group", "base_sha")
    raise UsageError(
        f"the event {event or '(none)'} does not say what to compare with: give the input base, for example "
        "base: origin/main with fetch-depth: 0 at actions/checkout."
    )


def _base_of_pull_request(head: str, root: Path) -> str:
    """The base as merged. The event's own `base.sha` goes stale when the base branch moves on."""
    parents = _parents(root)
    if len(parents) == 2 and parents[1] == head:
        return parents[0]
    raise UncheckedError(
        "the commit that is checked out is not the merge commit of the pull request, so the base is not known. "
        "Remove `ref:` from actions/checkout, or give the input base."
    )


def _parents(root: Path) -> list[str]:
    """The parents that the commit names: at depth 1 they are not in the clone, and git log hides them."""
    header = _git(root, "cat-file", "-p", "HEAD").partition("\n\n")[0]
    return [line.removeprefix("parent ") for line in header.splitlines() if line.startswith("parent ")]


def fetch(root: Path, commit: str) -> str:
    """Brings one commit into a shallow clone that lacks it; a complete clone is never made shallow.

    Returns:
        `commit`, or the sha of what was fetched.

    Raises:
        UncheckedError: the remote does not give it.
    """
    if _has(root, commit) or _git(root, "rev-parse", "--is-shallow-repository").strip() != "true":
        return commit
    if commit.startswith("-"):
        raise UsageError(f"{commit} is no commit.")
    try:
        _git(root, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--depth=1", "origin", commit)
    except UncheckedError as error:
        raise UncheckedError(
            f"the base {commit} is not in this shallow clone and could not be fetched: add fetch-depth: 0 to "
            f"actions/checkout.\n{error}"
        ) from error
    return _git(root, "rev-parse", "--verify", "FETCH_HEAD^{commit}").strip()


def _has(root: Path, commit: str) -> bool:
    try:
        _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
    except UncheckedError:
        return False
    return True


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
    )
    if done.returncode:
        raise UncheckedError(f"git {' '.join(arguments)} failed: {os.fsdecode(done.stderr).strip()}")
    return done.stdout.decode(errors="replace")


def _sha(content: Mapping[str, Any], *keys: str) -> str:
    value: Any = content
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise UncheckedError(f"the event file has no {'.'.join(keys)}.")
    return value


# --- where reports go ----------------------------------------------------------------------------------------


def publish(result: Any, environ: Mapping[str, str]) -> None:
    """Annotations to the log, the summary and the outputs to the files that GitHub names."""
    from restore_guard.reports import load

    breaks = sum(finding.fails for model in result.models for finding in model.findings)
    _attempt("outputs", lambda: _append(environ, "GITHUB_OUTPUT", _outputs(result.verdict, breaks)))
    _attempt("annotations", lambda: print(load("github").render(result), end="", flush=True))
    _attempt("step summary", lambda: _append(environ, "GITHUB_STEP_SUMMARY", load("markdown").render(result)))


def _publish_error(error: RestoreGuardError, environ: Mapping[str, str]) -> None:
    from restore_guard.reports.github_report import escape_message
    from restore_guard.reports.markdown_report import HEADLINES
    from restore_guard.reports.wording import plain

    kind = "wrong usage" if isinstance(error, UsageError) else "not checked"
    summary = f"## {HEADLINES['unchecked']}\n\n    {plain(str(error))}\n"
    _attempt("outputs", lambda: _append(environ, "GITHUB_OUTPUT", _outputs("unchecked", 0)))
    _attempt("step summary", lambda: _append(environ, "GITHUB_STEP_SUMMARY", summary))
    print(f"::error title=restore-guard%3A {kind}::{escape_message(str(error))}", flush=True)


def _outputs(verdict: str, breaks: int) -> str:
    return f"verdict={verdict}\nbreaks={breaks}\n"


def _append(environ: Mapping[str, str], variable: str, text: str) -> None:
    if path := environ.get(variable):
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)


def _attempt(what: str, write: Callable[[], None]) -> None:
    """A report that cannot be written must not hide the verdict, nor change it."""
    try:
        write()
    except Exception as error:
        from restore_guard.reports.github_report import escape_message

        message = escape_message(f"The {what} could not be written: {error}")
        print(f"::warning title=restore-guard::{message}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
