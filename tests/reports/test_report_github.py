"""The GitHub report: annotations within GitHub's limits, and never a command that a name smuggles in."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import RETIRED, SAMPLE, hostile, is_command, many, results

from restore_guard.reports.github_report import escape_message, escape_property, render
from restore_guard.result import Finding, ModelResult, Result

EXPECTED = """\
::error file=models.py,line=14,title=restore-guard%3A variable-renamed in subclassed::\
dense_1 → denselayer1%0A\
Attribute dense_1 is now denselayer1: no saved checkpoint has its 2 variables under that name.%0A\
tf-checkpoint: 2 variables keep their initial value, silently.%0A\
keras-weights: raises ValueError.%0A\
Fix: Name the attribute dense_1 again.%0A\
Accept: restore-guard update subclassed --accept-break "REASON"%0A\
Or: restore-guard update subclassed --migrate "REASON", then restore-guard migrate CHECKPOINT OUT
::error file=tower/model.py,line=3,title=restore-guard%3A build-failed in tower::\
tower.model:build cannot be built: ModuleNotFoundError: No module named 'faiss'.%0A\
Fix: Install faiss in the environment that builds.
::notice file=retired.py,title=restore-guard%3A variable-missing in retired (accepted)::\
aux_head/kernel → (nothing)%0Aaux_head/kernel is gone.
5 models, 34 variables, 4 restore paths: 2 restore, 1 breaks, 1 unchecked, 1 unaffected
"""


def unescape(text: str) -> str:
    """As actions/runner reads a command."""
    for escape, char in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escape, char)
    return text


def annotations(report: str) -> list[str]:
    return report.splitlines()[:-1]


def one(finding: Finding, name: str = "m") -> str:
    return render(Result(None, "index", (ModelResult(name, "breaks", findings=(finding,)),)))


def test_sample():
    assert render(SAMPLE) == EXPECTED


def test_without_a_file():
    finding = Finding("manifest-missing", "warning", "", 5, "No manifest.")
    assert annotations(one(finding)) == ["::warning title=restore-guard%3A manifest-missing in m::No manifest."]


def test_properties_are_escaped():
    finding = Finding("r", "error", "a,b:c%.py", 2, "100%: a, b")
    assert annotations(one(finding)) == [
        "::error file=a%2Cb%3Ac%25.py,line=2,title=restore-guard%3A r in m::100%25: a, b"
    ]


def test_more_than_github_shows():
    lines = annotations(render(many(30)))
    assert len(lines) == 10
    assert lines[8].endswith("::Layer 9 is wider.")
    assert lines[9].endswith("::Layer 10 is wider.%0Aand 20 more breaks: see the step summary")


def test_as_many_as_github_shows():
    assert "more" not in render(many(10))
    assert render(many(11, "warning")).splitlines()[9].endswith("%0Aand 1 more warning: see the step summary")
    assert render(many(17, status="pre-existing")).count("and 7 more notices: see the step summary") == 1


def test_ignored_findings_are_not_annotated():
    assert annotations(render(many(3, status="ignored"))) == []


def test_errors_first_across_models():
    models = (*many(2, "warning").models, *many(1, status="accepted").models, *many(2).models)
    commands = [line.split()[0] for line in annotations(render(Result(None, "index", (*models, RETIRED))))]
    assert commands == ["::error", "::error", "::warning", "::warning", "::notice", "::notice"]


@pytest.mark.parametrize("percents", range(1990, 2000))
def test_a_long_message_is_cut_but_no_escape_in_half(percents):
    # The message alone is not too long before escaping: 1990 "%" are 5970 characters after.
    (line,) = annotations(one(Finding("r", "error", "", 0, "." * (2000 - percents) + "%" * percents)))
    message = line.split("::", 2)[2]
    assert 4096 - 3 < len(message) <= 4096
    assert re.fullmatch(r"\.*(%25)+…", message)


def test_the_count_survives_a_long_message():
    lines = annotations(render(many(12, fix="f" * 1500, accept="a" * 1500, effects=("e" * 1500,))))
    message = lines[9].split("::", 2)[2]
    assert len(message) == 4096
    assert message.endswith("a…%0Aand 2 more breaks: see the step summary")


@given(hostile | st.text())
def test_escaping_loses_nothing(text):
    for escape in (escape_message, escape_property):
        assert "\n" not in escape(text) and "\r" not in escape(text)
        assert unescape(escape(text)) == text
    assert not set(escape_property(text)) & {":", ","}


@given(results)
def test_hostile_names_are_harmless(result):
    report = render(result)
    assert report.endswith("\n") and report.encode()
    *lines, summary = report[:-1].split("\n")
    assert summary == result.summary() and not is_command(summary)
    assert all(line.isprintable() for line in lines)
    annotation = r"::(error|warning|notice) (file=[^:,]*,)?(line=\d+,)?title=[^:,]*::.{0,4096}"
    found = [re.fullmatch(annotation, line) for line in lines]
    assert all(found)
    assert all(count <= 10 for count in Counter(match[1] for match in found).values())
