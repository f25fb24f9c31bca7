"""The SARIF report: valid by the types that are generated from the 2.1.0 schema, and within GitHub's limits."""

import gzip
import json

import msgspec
from hypothesis import given
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Schema
from report_samples import SAMPLE, SUBCLASSED, is_command, many, results

from restore_guard.reports.sarif_report import render
from restore_guard.result import Finding, ModelResult, Result


def run(result):
    report = render(result)
    Schema.model_validate_json(report)
    (only,) = json.loads(report)["runs"]
    return only


def one(*findings):
    return run(Result(None, "index", (ModelResult("m", "breaks", findings=findings),)))


def test_sample():
    found = run(SAMPLE)
    assert found["tool"]["driver"]["name"] == "restore-guard"
    assert [rule["id"] for rule in found["tool"]["driver"]["rules"]] == [
        "variable-renamed",
        "build-failed",
        "variable-missing",
    ]
    assert [(entry["ruleId"], entry["ruleIndex"], entry["level"]) for entry in found["results"]] == [
        ("variable-renamed", 0, "error"),
        ("build-failed", 1, "error"),
        ("variable-missing", 2, "note"),  # accepted
    ]
    assert found["results"][0]["message"]["text"] == (
        "subclassed: Attribute dense_1 is now denselayer1: no saved checkpoint has its 2 variables under that name.\n"
        "tf-checkpoint: 2 variables keep their initial value, silently.\n"
        "keras-weights: raises ValueError.\n"
        "Fix: Name the attribute dense_1 again.\n"
        'Accept: restore-guard update subclassed --accept-break "REASON"'
    )
    assert found["results"][0]["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "models.py"}, "region": {"startLine": 14}}}
    ]
    (invocation,) = found["invocations"]
    assert invocation["executionSuccessful"] is False, "tower was not checked"
    assert [note["message"]["text"] for note in invocation["toolExecutionNotifications"]] == [
        "The release v1 has no manifest.",
        "tower: The base builds: 12 variables.",
    ]


def test_nothing_found():
    found = run(Result(None, "index", (ModelResult("m", "restores"),)))
    assert found["results"] == [] and found["invocations"][0]["executionSuccessful"] is True


def test_ignored_findings_are_left_out():
    assert one(Finding("r", "error", "m.py", 1, "x", status="ignored"))["results"] == []


def test_places():
    found = one(
        Finding("r", "error", "a b/ü%#?:\udce9.py", 3, "x"),
        Finding("r", "error", "m.json", 0, "x"),
        Finding("r", "error", "", 0, "x"),
    )
    places = [entry.get("locations") for entry in found["results"]]
    assert places[0][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b/%C3%BC%25%23%3F%3A%5Cudce9.py"},
        "region": {"startLine": 3},
    }
    assert places[1][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert places[2] is None


def fingerprints(*findings, name="m"):
    entries = run(Result(None, "index", (ModelResult(name, "breaks", findings=findings),)))["results"]
    return [entry["partialFingerprints"]["primaryLocationLineHash"] for entry in entries]


def test_fingerprints_stay_when_lines_and_words_change():
    finding = SUBCLASSED.findings[0]
    (first,) = fingerprints(finding)
    moved = msgspec.structs.replace(finding, line=99, file="moved.py", message="In other words.", effects=(), fix="")
    assert fingerprints(moved) == [first]
    for other in (
        fingerprints(msgspec.structs.replace(finding, new="denselayer2")),
        fingerprints(msgspec.structs.replace(finding, rule="variable-missing")),
        fingerprints(msgspec.structs.replace(finding, restores=("h5",))),
        fingerprints(finding, name="other"),
    ):
        assert other != [first]
    twins = fingerprints(finding, finding)
    assert twins[0] == first and twins[1] != first


def test_limits():
    found = run(many(30_000))
    assert len(found["results"]) == 5000
    assert found["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
    notes = found["invocations"][0]["toolExecutionNotifications"]
    assert notes[0]["message"]["text"] == "25000 more findings had no room in this file."


def test_ten_megabytes_however_much_there_is():
    report = render(many(4000, effects=tuple("\U0001f600" * 1900 for _ in range(3))))
    Schema.model_validate_json(report)
    assert 5_000_000 < len(report) < 10_000_000 and len(gzip.compress(report.encode())) < 10_000_000


@given(results)
def test_hostile_names_are_harmless(result):
    report = render(result)
    Schema.model_validate_json(report)
    assert report.isascii() and not any(map(is_command, report.splitlines()))
    shown = [finding for model in result.models for finding in model.findings]
    shown = [finding for finding in shown if finding.level != "off" and finding.status != "ignored"]
    assert len(json.loads(report)["runs"][0]["results"]) == len(shown)
