"""Where reports go: annotations to the log, the rest to the files that GitHub and the workflow name.

A report that cannot be written neither hides the verdict nor changes it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from restore_guard.actions.inputs import Inputs
from restore_guard.errors import RestoreGuardError, UsageError
from restore_guard.reports import load
from restore_guard.reports.github_report import escape_message
from restore_guard.reports.markdown_report import HEADLINES
from restore_guard.reports.wording import plain
from restore_guard.result import Result

COMMENT = 60_000
"""Bytes. GitHub refuses a comment of more than 65 536 characters."""


def publish(result: Result, inputs: Inputs, environ: Mapping[str, str]) -> None:
    """Everything that the inputs ask for; without annotations, the summary line alone."""
    outputs: dict[str, str | int] = {"verdict": result.verdict, "breaks": breaks(result)}
    _attempt("report", lambda: outputs.update(report=_report(result, environ)))
    _attempt("outputs", lambda: append(environ, "GITHUB_OUTPUT", _lines(outputs)))
    if inputs.annotations:
        _attempt("annotations", lambda: print(load("github").render(result), end="", flush=True))
    else:
        print(result.summary(), flush=True)
    if inputs.summary:
        _attempt("step summary", lambda: append(environ, "GITHUB_STEP_SUMMARY", load("markdown").render(result)))
    if inputs.sarif_file:
        _attempt("SARIF file", lambda: _write(Path(inputs.sarif_file), load("sarif").render(result)))


def leave_comment(result: Result, red: bool, environ: Mapping[str, str]) -> None:
    """Writes what the next step puts on the pull request; nothing, so that it takes the comment away, when green."""
    text = load("markdown").render(result, COMMENT) if red or result.verdict != "restores" else ""
    _attempt("comment", lambda: _leave(text, environ))


def publish_plan(result: Result, matrix: str, environ: Mapping[str, str]) -> None:
    """The matrix, and the report of what needs no job: `report` joins it with those of the jobs."""
    outputs: dict[str, str | int] = {"matrix": matrix}
    _attempt("report", lambda: outputs.update(report=_report(result, environ)))
    append(environ, "GITHUB_OUTPUT", _lines(outputs))  # no jobs without it: this one must not fail in silence
    print(f"{matrix}\n{result.summary()}", flush=True)


def publish_error(error: RestoreGuardError, environ: Mapping[str, str]) -> None:
    """A run that came to no result."""
    kind = "wrong usage" if isinstance(error, UsageError) else "not checked"
    shown = [" " * (4 + len(line) - len(line.lstrip())) + plain(line) for line in str(error).splitlines()]
    summary = f"## {HEADLINES['unchecked']}\n\n" + "\n".join(shown) + "\n"
    outputs = {"verdict": "unchecked", "breaks": 0}
    _attempt("outputs", lambda: append(environ, "GITHUB_OUTPUT", _lines(outputs)))
    _attempt("step summary", lambda: append(environ, "GITHUB_STEP_SUMMARY", summary))
    if environ.get("RESTORE_GUARD_COMMENT") == "true":
        _attempt("comment", lambda: _leave(summary[:COMMENT], environ))
    print(f"::error title=restore-guard%3A {kind}::{escape_message(str(error))}", flush=True)


def breaks(result: Result) -> int:
    """How many findings fail a check; a build that failed breaks nothing that is known."""
    return sum(
        finding.fails and finding.rule != "build-failed" for model in result.models for finding in model.findings
    )


def append(environ: Mapping[str, str], variable: str, text: str) -> None:
    """Adds to a file that GitHub names; outside of GitHub Actions there is none."""
    if path := environ.get(variable):
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)


def _lines(outputs: Mapping[str, object]) -> str:
    """No value has a line break: they are words, numbers, paths of the runner, and JSON in one line."""
    return "".join(f"{name}={value}\n" for name, value in outputs.items())


def _report(result: Result, environ: Mapping[str, str]) -> str:
    """Writes the JSON report and returns its path."""
    path = _new_folder(environ) / "restore-guard.json"
    _write(path, load("json").render(result))
    return str(path)


def _leave(text: str, environ: Mapping[str, str]) -> None:
    path = _new_folder(environ) / "comment.md"
    _write(path, text)
    append(environ, "GITHUB_OUTPUT", _lines({"comment": path}))


def _new_folder(environ: Mapping[str, str]) -> Path:
    """One for each step of a job."""
    return Path(tempfile.mkdtemp(prefix="restore-guard-report-", dir=environ.get("RUNNER_TEMP") or None))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _attempt(what: str, write: Callable[[], object]) -> None:
    try:
        write()
    except Exception as error:
        print(
            f"::warning title=restore-guard::{escape_message(f'The {what} could not be written: {error}')}", flush=True
        )
