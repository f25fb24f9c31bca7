"""Breaks that a reviewer must accept as well: by a label, given to the pull request for the commit under test.

The label never takes the place of the reason in the manifest's history: a break that is not accepted there stays one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from restore_guard.actions import events
from restore_guard.result import Finding, ModelResult, Result

RULE = "break-accepted"


def withheld(result: Result, event: str, content: Mapping[str, Any], label: str, merge: str) -> Result:
    """The result with every break that the change accepts an error, unless the label was given for this commit.

    In: label: its name, "" where none is asked for; merge: the merge commit that the event is about. Other events than
    that of a pull request know no label: what they check was reviewed before, or by nobody.

    Raises:
        UncheckedError: the event file has no pull request.
    """
    if not label or event != "pull_request":
        return result
    missing = _missing(content, label, result.head, merge)
    return result if missing is None else replace(result, models=tuple(_held(m, missing) for m in result.models))


def _missing(content: Mapping[str, Any], label: str, head: str, merge: str) -> str | None:
    """Why the label does not count; None where it does.

    Only the event that gives the label tells for which commit: GitHub keeps no such record, and a label stays when
    something else is pushed.
    """
    if head not in (events.newest(content), merge):
        return f"the label {label} speaks for the pull request's newest commit, and that is not what was checked."
    labels = content["pull_request"].get("labels") or []
    if label not in [entry.get("name") for entry in labels]:
        return f"no reviewer has given the label {label}."
    if content.get("action") == "labeled" and (content.get("label") or {}).get("name") == label:
        return None
    return f"the label {label} was not given for this commit: somebody who has looked takes it off and gives it again."


def _held(model: ModelResult, missing: str) -> ModelResult:
    accepted = [finding for finding in model.findings if finding.rule == RULE or finding.status == "accepted"]
    if not accepted:
        return model
    reasons = [finding for finding in accepted if finding.rule == RULE]
    others = tuple(finding for finding in model.findings if finding not in reasons)
    return replace(
        model,
        verdict="breaks",
        # Where the configuration silences the rule, what it accepts is still there.
        findings=(*(_asking(finding, missing) for finding in reasons or accepted[:1]), *others),
    )


def _asking(finding: Finding, missing: str) -> Finding:
    return replace(
        finding,
        rule=RULE,
        level="error",
        status="new",
        message=f"{finding.message} But {missing}",
        fix="A reviewer who agrees with the reason gives the label, when this commit is the newest one.",
    )
