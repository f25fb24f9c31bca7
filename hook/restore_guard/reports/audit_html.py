"""What `audit` found as one file to keep or to send, in the form of the report of `check`."""

from __future__ import annotations

from restore_guard.commands.audit import Audit
from restore_guard.reports import audit_text, html_page, html_report, wording
from restore_guard.reports.html_page import Page, text

SIDES = ("In the file", "In the code")


def render(audit: Audit) -> str:
    """The page."""
    shown = audit.shown
    lines = [f"<p>{text(line)}</p>" for line in audit_text.file_lines(audit)]
    page = Page(f"restore-guard audit: {audit.verdict}", audit.verdict, audit_text.summary(audit), lines, SIDES)
    found = [(finding, "") for finding in audit.findings]
    found += [(finding, f" in <code>{text(model.name)}</code>") for model in shown for finding in model.findings]
    notes = [f"{model.name}: {note}" for model in audit.models for note in model.notes]
    parts = {
        "Models": [html_report.models_table(audit.models)],
        "The error": html_report.notes(audit.explained),
        "Findings": [html_report.article(finding, where) for finding, where in found],
        "Notes": html_report.notes(notes),
    }
    return html_page.render(page, parts, wording.told(shown))
