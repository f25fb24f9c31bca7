"""One step of a workflow: checks what the event changes, plans jobs that do, or joins what they found."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from restore_guard import joining, plan
from restore_guard.actions import events, inputs, publishing
from restore_guard.actions.clone import Clone
from restore_guard.actions.inputs import Inputs
from restore_guard.errors import RestoreGuardError, UncheckedError, UsageError
from restore_guard.reports.wording import plain
from restore_guard.result import ModelResult, Result


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
        result = _check(event, given, environ, build=False)
        left = [model.name for model in result.models if joining.is_left(model)]
        publishing.publish_plan(result, plan.matrix(plan.share(dict.fromkeys(left), given.shards)), environ)
        return 0
    else:
        result = _check(event, given, environ)
    publishing.publish(result, given, environ)
    return exit_code(result, given.fail_on)


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


def _check(event: str, given: Inputs, environ: Mapping[str, str], *, build: bool = True) -> Result:
    from restore_guard import check
    from restore_guard.progress import Progress
    from restore_guard.repository import Repository

    with Repository(given.folder) as repository, Progress(sys.stderr) as progress:
        if given.configured and repository.root / repository.project != given.folder.resolve():
            raise UsageError(f"the input config: {given.folder} does not configure restore-guard.")
        base, head = _sides(event, given, Clone(repository.root), environ)
        return check.check(
            repository,
            repository.commit(base) if base is not None else None,
            repository.commit(head),
            names=given.models,
            build=build,
            witness=given.witness,
            environ=environ,
            progress=progress,
        )


def _sides(event: str, given: Inputs, clone: Clone, environ: Mapping[str, str]) -> tuple[str | None, str]:
    head = events.named(clone, given.head or "HEAD")
    if given.base:
        return events.named(clone, given.base), head
    return events.base_of(event, events.payload(environ), clone, head), head


if __name__ == "__main__":
    sys.exit(main())
