"""For code scanning: SARIF 2.1.0, within what GitHub takes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from importlib.metadata import metadata
from typing import Any
from urllib.parse import quote

from restore_guard.commands.origin import UNKNOWN
from restore_guard.reports import explanation, wording
from restore_guard.reports.wording import counted, plain
from restore_guard.result import Finding, ModelResult, Result, Suggestion
from restore_guard.rules import RULES

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_RULES = f"{UNKNOWN}/blob/main/hook/restore_guard/rules"
RESULTS = 5000
"""GitHub takes 25 000 results a run and shows so many, the gravest."""
ROOM = 9 * 1024 * 1024
"""Bytes of all results. GitHub takes 10 MB, compressed: what fits uncompressed surely does."""


def render(result: Result) -> str:
    """The report; what is ignored on purpose is left out, and what does not fit is counted."""
    found = [pair for pair in wording.ranked(result.models) if pair[1].status != "ignored"]
    rules = list(dict.fromkeys(finding.rule for _, finding in found))
    seen: Counter[str] = Counter()
    entries, room = [], ROOM
    for model, finding in found[:RESULTS]:
        entry = _entry(model, finding, rules, seen)
        room -= len(_json(entry)) + 1
        if room < 0:
            break
        entries.append(entry)
    notes = wording.notes(result)
    if len(entries) < len(found):
        notes.insert(0, f"{counted(len(found) - len(entries), 'more finding')} had no room in this file.")
    run = {
        "tool": {"driver": _driver(rules)},
        "automationDetails": {"id": "restore-guard/"},
        "invocations": [
            {
                "executionSuccessful": all(model.verdict != "unchecked" for model in result.models),
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": plain(note)}} for note in notes[:RESULTS]
                ],
            }
        ],
        "results": entries,
        "columnKind": "unicodeCodePoints",
    }
    return _json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _driver(rules: list[str]) -> dict[str, Any]:
    return {
        "name": "restore-guard",
        "semanticVersion": metadata("restore-guard")["Version"],
        "rules": [_rule(name) for name in rules],
    }


def _rule(name: str) -> dict[str, Any]:
    rule = RULES.get(name)
    if rule is None:  # in a report of another version
        return {"id": plain(name)}
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.meaning},
        "fullDescription": {"text": f"{rule.meaning} {rule.why}"},
        "help": {"text": explanation.render(rule)},
        "helpUri": f"{_RULES}/{rule.name.replace('-', '_')}.py",
        "defaultConfiguration": {"level": rule.level},
    }


def _entry(model: ModelResult, finding: Finding, rules: list[str], seen: Counter[str]) -> dict[str, Any]:
    status = "" if finding.status == "new" else f" ({finding.status})"
    said = [f"{model.name}{status}: {finding.message}", *finding.effects]
    said += [f"Fix: {finding.fix}"] * bool(finding.fix) + [f"Accept: {finding.accept}"] * bool(finding.accept)
    entry = {
        "ruleId": plain(finding.rule),
        "ruleIndex": rules.index(finding.rule),
        "level": finding.level if finding.status == "new" else "note",
        "message": {"text": "\n".join(map(plain, said))},
        "partialFingerprints": {"primaryLocationLineHash": fingerprint(model, finding, seen)},
    }
    if finding.file:
        region = {"startLine": max(1, finding.line)}  # GitHub shows nothing that has no line
        entry["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": _uri(finding.file)}, "region": region}}]
    if finding.suggestion is not None:
        entry["fixes"] = [_fix(finding.suggestion)]
    return entry


def _fix(suggestion: Suggestion) -> dict[str, Any]:
    whole = {"startLine": suggestion.first, "startColumn": 1, "endLine": suggestion.last + 1, "endColumn": 1}
    replacement = {"deletedRegion": whole, "insertedContent": {"text": f"{suggestion.replacement}\n"}}
    return {
        "description": {"text": plain(suggestion.outcome)},
        "artifactChanges": [{"artifactLocation": {"uri": _uri(suggestion.file)}, "replacements": [replacement]}],
    }


def _uri(file: str) -> str:
    return quote(file.encode("utf-8", "backslashreplace"), safe="/")


def fingerprint(model: ModelResult, finding: Finding, seen: Counter[str]) -> str:
    """What stays when lines move: GitHub tells by it whether an alert is an old one."""
    what = json.dumps([model.name, finding.rule, finding.old, finding.new, *finding.restores])
    digest = hashlib.sha256(what.encode()).hexdigest()[:16]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _json(value: object) -> str:
    """In ASCII, as the JSON report: nothing in it steers a log."""
    return json.dumps(value).replace("##[", r"#\u0023[")
