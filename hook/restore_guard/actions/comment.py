"""The one comment on a pull request: written while there is something to say, gone when there is nothing.

A step of its own, after all builds have ended: the token that may write is never in a process while code of the pull
request runs. It changes no verdict: what it cannot write stands in the step summary.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from restore_guard.actions import events, publishing
from restore_guard.actions.github_api import Comments, GitHubError
from restore_guard.errors import RestoreGuardError
from restore_guard.reports.github_report import escape_message

APART = ("GITHUB_WORKFLOW", "GITHUB_JOB", "RESTORE_GUARD_WORKING_DIRECTORY", "RESTORE_GUARD_CONFIG")
"""What tells several uses of the action on one pull request apart: each has its own comment."""


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Returns 0: whether checkpoints restore, the step before has said."""
    body = environ.get("RESTORE_GUARD_COMMENT_FILE")
    if not body:  # that step was ended before it knew
        return 0
    text = Path(body).read_text(encoding="utf-8")
    try:
        print(f"restore-guard: {_settle(text, environ)}", flush=True)
    except (GitHubError, RestoreGuardError) as error:
        said = f"The comment could not be written, the step summary has its text: {error}"
        if environ.get("RESTORE_GUARD_SUMMARY") == "false":
            publishing.append(environ, "GITHUB_STEP_SUMMARY", text)
        print(f"::notice title=restore-guard::{escape_message(said)}", flush=True)
    return 0


def _settle(text: str, environ: Mapping[str, str]) -> str:
    """Makes the comments what they should be; returns what was done."""
    content = events.payload(environ)
    if environ.get("GITHUB_EVENT_NAME") != "pull_request":
        return "only a pull request has comments."
    tested, number = events.newest(content), content["pull_request"].get("number")
    if not isinstance(number, int):
        raise GitHubError("the event file has no pull_request.number.")
    comments = Comments(
        environ.get("GITHUB_API_URL", ""),
        environ.get("GITHUB_REPOSITORY", ""),
        number,
        environ.get("RESTORE_GUARD_TOKEN", ""),
    )
    if comments.head() != tested:
        return "no comment: the pull request has a newer commit, whose run writes it."
    mark = _mark(environ)
    found = comments.marked(mark)
    for extra, _ in found[1 if text else 0 :]:  # two runs at a time may have written one each
        comments.delete(extra)
    if not text:
        return "no comment: there is nothing to say."
    wanted = f"{mark}\n{text}\nFor {tested}; this comment is kept up to date, and goes when nothing is left to say.\n"
    if not found:
        comments.create(wanted)
    elif found[0][1] != wanted:
        comments.update(found[0][0], wanted)
    return "the comment says what was found."


def _mark(environ: Mapping[str, str]) -> str:
    named = "\n".join(environ.get(name, "") for name in APART)
    return f"<!-- restore-guard {hashlib.sha256(named.encode()).hexdigest()[:12]} -->"


if __name__ == "__main__":
    sys.exit(main())
