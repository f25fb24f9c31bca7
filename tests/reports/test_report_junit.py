"""The JUnit and GitLab reports: read by an XML parser and a JSON parser, whatever a name under review contains."""

import json
from xml.etree import ElementTree

from hypothesis import given
from report_samples import SAMPLE, is_command, results

from restore_guard.reports import gitlab_report, junit_report
from restore_guard.result import Finding, ModelResult, PathResult, Result


def test_junit_of_the_sample():
    root = ElementTree.fromstring(junit_report.render(SAMPLE))
    suites = {suite.get("name"): suite for suite in root.findall("testsuite")}
    broken = suites["subclassed"]
    assert [(case.get("name"), case.find("failure") is not None) for case in broken.findall("testcase")] == [
        ("tf-checkpoint", True),
        ("keras-weights", True),
        ("model", False),
    ]
    failure = broken.find("testcase/failure")
    assert (failure.get("type"), broken.find("testcase").get("file")) == ("variable-renamed", "models.py")
    assert "models.py:14: error: variable-renamed" in failure.text
    assert 'accept: restore-guard update subclassed --accept-break "REASON"' in failure.text
    assert suites["tower"].find("testcase/error").get("type") == "build-failed"
    assert suites["ranker"].find(".//failure") is None
    assert (root.get("failures"), root.get("errors")) == ("2", "1")


def test_what_was_not_judged_is_no_success():
    models = (ModelResult("a", "unaffected"), ModelResult("b", "unchecked"), ModelResult("c", "restores"))
    root = ElementTree.fromstring(junit_report.render(Result(None, "index", models)))
    kinds = [[entry.tag for entry in case if entry.tag != "system-out"] for case in root.findall(".//testcase")]
    assert kinds == [["skipped"], ["error"], []]


def test_gitlab_issues():
    issues = json.loads(gitlab_report.render(SAMPLE))
    assert {issue["location"]["path"] for issue in issues} >= {"models.py", "tower/model.py"}
    renamed = next(issue for issue in issues if issue["check_name"] == "variable-renamed")
    assert (renamed["severity"], renamed["location"]["lines"]["begin"]) == ("critical", 14)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    ignored = Finding("shape-changed", "error", "m.py", 3, "x", status="ignored")
    known = Finding("shape-changed", "error", "m.py", 4, "x", status="pre-existing")
    result = Result(None, "index", (ModelResult("m", "restores", findings=(ignored, known)),))
    (only,) = json.loads(gitlab_report.render(result))
    assert (only["severity"], only["location"]["lines"]["begin"]) == ("info", 4)
    assert json.loads(gitlab_report.render(Result(None, "index", (ModelResult("m", "restores"),)))) == []


@given(results)
def test_hostile_names_are_harmless(result):
    """Both parse, and nothing of the JSON, which a job may print, is a command of a log."""
    ElementTree.fromstring(junit_report.render(result))
    text = gitlab_report.render(result)
    for issue in json.loads(text):
        assert issue["location"]["path"] and issue["location"]["lines"]["begin"] >= 1
    assert not any(map(is_command, text.splitlines()))


def test_a_path_that_only_loses_values_fails_its_own_case():
    path = PathResult("partial", 1, 2, initial=("b",))
    lost = Finding("variable-missing", "error", "net.py", 3, "b is lost", restores=("h5",))
    model = ModelResult(
        "m", "breaks", 2, restores={"h5": path, "tf-checkpoint": PathResult("restores", 2, 2)}, findings=(lost,)
    )
    root = ElementTree.fromstring(junit_report.render(Result(None, "index", (model,))))
    failed = [case.get("name") for case in root.findall(".//testcase") if case.find("failure") is not None]
    assert failed == ["h5"]
