"""For merge requests of GitLab: a Code Quality report, shown on the lines of the diff."""

from __future__ import annotations

import json
from collections import Counter

from restore_guard.reports import wording
from restore_guard.reports.sarif_report import fingerprint
from restore_guard.reports.wording import plain
from restore_guard.result import Finding, Result

_SEVERITIES = {"error": "critical", "warning": "minor"}


def render(result: Result) -> str:
    """A list of issues; what is ignored on purpose, or stands in no file, is left out."""
    seen: Counter[str] = Counter()
    issues = [
        {
            "description": plain(f"{model.name}: {finding.message}"),
            "check_name": plain(finding.rule),
            "fingerprint": fingerprint(model, finding, seen),
            "severity": _severity(finding),
            "location": {"path": plain(finding.file), "lines": {"begin": max(1, finding.line)}},
        }
        for model, finding in wording.ranked(result.models)
        if finding.status != "ignored" and plain(finding.file)
    ]
    return json.dumps(issues, indent=2) + "\n"


def _severity(finding: Finding) -> str:
    return _SEVERITIES.get(finding.level, "info") if finding.status == "new" else "info"
