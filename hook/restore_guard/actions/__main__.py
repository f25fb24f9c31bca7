"""One step of a workflow: checks what the event changes, plans jobs that do, or joins what they found."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from restore_guard.actions import approval, events, inputs, publishing
from restore_guard.actions.clone import Clone
from restore_guard.actions.inputs import Inputs
from restore_guard.change.sides import Sides
from restore_guard.commands import joining
from restore_guard.errors import RestoreGuardError, UncheckedError, UsageError
from restore_guard.reports.wording import plain
from restore_guard.result import ModelResult, Result

if TYPE_CHECKING:
    from restore_guard.change.repository import Repository


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Returns the step's exit code: that of `check`, as the input fail-on has it."""
    # A cancelled job cleans up as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _run(environ)
    except RestoreGuardError as error:
        publishing.publish_error(error, environ)
        return error.exit_code
    except Exception as error:
        for line in traceback.format_exc().splitlines():
            print(f"  {plain(line)}", file=sys.stderr)
        message = f"this is a bug in restore-guard, please report it with the log: {type(error).__name__}: {error}"
        publishing.publish_error(UncheckedError(message), environ)
        return 3  # not 1, which says that checkpoints break


def _run(environ: Mapping[str, str]) -> int:
    event = environ.get("GITHUB_EVENT_NAME", "")
    events.refuse(event)
    given = inputs.read(environ)
    if given.results:
        result = joining.join(joining.read(joining.found(Path(given.results))))
    elif given.shards:
        publishing.publish_plan(*_plan(event, given, environ), environ)
        return 0
    else:
        result = _check(event, given, environ)
    if given.accept_label:
        content, merge = events.payload(environ), environ.get("GITHUB_SHA", "")
        result = approval.withheld(result, event, content, given.accept_label, merge)
    code = exit_code(result, given.fail_on)
    publishing.publish(result, given, environ)
    if given.comment:
        publishing.leave_comment(result, code != 0, environ)
    return code


def exit_code(result: Result, fail_on: str) -> int:
    """0 for findings that the workflow lets pass; what could not be checked is never green."""
    fails = {
        "error": result.verdict == "breaks",
        "warning": any(
            finding.status == "new" and finding.level != "off" for model in result.models for finding in model.findings
        ),
        "never": False,
    }
    if fails[fail_on]:
        return 1
    return 0 if all(map(_is_checked, result.models)) else 3


def _is_checked(model: ModelResult) -> bool:
    """A model may break by its manifest and not be built as well."""
    return model.verdict != "unchecked" and all(finding.rule != "build-failed" for finding in model.findings)


def _check(event: str, given: Inputs, environ: Mapping[str, str]) -> Result:
    from restore_guard.change.run import Run
    from restore_guard.commands import check
    from restore_guard.progress import Progress

    with _open(given) as repository, Progress(sys.stderr) as progress:
        run, sides = Run(repository, environ, progress), _sides(event, given, repository, environ)
        return check.check(run, sides, names=given.models, witness=given.witness)


def _plan(event: str, given: Inputs, environ: Mapping[str, str]) -> tuple[Result, str]:
    """What needs no job, with the rest unchecked; and the matrix of the rest."""
    from restore_guard.change.run import Run
    from restore_guard.commands import check, plan
    from restore_guard.promise.project import load

    with _open(given) as repository:
        run, sides = Run(repository, environ), _sides(event, given, repository, environ)
        result = check.without_builds(run, sides, names=given.models)
        left = [model.name for model in result.models if joining.is_left(model)]
        seconds = plan.seconds(run, load(repository, sides.head).config, left)
    return result, plan.matrix(plan.share(seconds, given.shards))


@contextmanager
def _open(given: Inputs) -> Iterator[Repository]:
    from restore_guard.change.repository import Repository  # joining needs no git

    with Repository(given.folder) as repository:
        if given.configured and repository.root / repository.project != given.folder.resolve():
            raise UsageError(f"the input config: {given.folder} does not configure restore-guard.")
        yield repository


def _sides(event: str, given: Inputs, repository: Repository, environ: Mapping[str, str]) -> Sides:
    clone = Clone(repository.root)
    head = events.named(clone, given.head or "HEAD")
    base = (
        events.named(clone, given.base) if given.base else events.base_of(event, events.payload(environ), clone, head)
    )
    return Sides(repository.commit(base) if base is not None else None, repository.commit(head))


if __name__ == "__main__":
    sys.exit(main())
