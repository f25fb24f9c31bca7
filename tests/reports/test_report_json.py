"""The JSON report: schema 1 is a contract, so its keys are written out here a second time."""

import json

import msgspec
import pytest
from hypothesis import given
from report_pages import result
from report_samples import RETIRED, SAMPLE, SUBCLASSED, UNAFFECTED, is_command, results

from restore_guard.reports.json_report import render
from restore_guard.result import Behaviour, ModelResult, Result
from restore_guard.result_json import parse

EXPECTED = {
    "schema": 1,
    "verdict": "breaks",
    "base": None,
    "head": "index",
    "models": [
        {
            "name": "subclassed",
            "verdict": "breaks",
            "variables": 4,
            "manifest": "current",
            "restores": {
                "tf-checkpoint": {
                    "outcome": "partial",
                    "restored": 2,
                    "variables": 4,
                    "initial": ["denselayer1/kernel", "denselayer1/bias"],
                    "unused": ["dense_1/kernel", "dense_1/bias"],
                    "misplaced": [],
                    "error": None,
                    "evidence": "simulated",
                    "outputs": None,
                    "uncompared": None,
                    "situation": None,
                },
                "keras-weights": {
                    "outcome": "raises",
                    "restored": 0,
                    "variables": 4,
                    "initial": [],
                    "unused": [],
                    "misplaced": [],
                    "error": "ValueError: Layer 'dense' expected 2 variables.",
                    "evidence": "simulated",
                    "outputs": None,
                    "uncompared": None,
                    "situation": None,
                },
            },
            "behaviour": None,
            "findings": [
                {
                    "rule": "variable-renamed",
                    "level": "error",
                    "file": "models.py",
                    "line": 14,
                    "message": "Attribute dense_1 is now denselayer1: no saved checkpoint has "
                    "its 2 variables under that name.",
                    "restores": ["tf-checkpoint", "keras-weights"],
                    "old": "dense_1",
                    "new": "denselayer1",
                    "status": "new",
                    "count": 1,
                }
            ],
            "notes": [],
        },
        {
            "name": "untouched",
            "verdict": "unaffected",
            "variables": 9,
            "manifest": "current",
            "restores": {},
            "behaviour": {"same_output": True, "max_difference": 0.5},
            "findings": [],
            "notes": ["The base has no manifest, so its build stands in for it."],
        },
    ],
    "notes": ["The release v1 has no manifest."],
}
UNTOUCHED = msgspec.structs.replace(
    UNAFFECTED,
    behaviour=Behaviour(True, 0.5),
    notes=("The base has no manifest, so its build stands in for it.",),
)
RESULT = Result(None, "index", (SUBCLASSED, UNTOUCHED), ("The release v1 has no manifest.",))


def bare(result: Result) -> Result:
    """Without what the JSON report does not hold."""
    models = tuple(
        msgspec.structs.replace(
            model,
            findings=tuple(
                msgspec.structs.replace(finding, effects=(), fix="", accept="") for finding in model.findings
            ),
        )
        for model in result.models
    )
    return msgspec.structs.replace(result, models=models)


def test_schema_1():
    report = render(RESULT)
    assert json.loads(report) == EXPECTED
    assert json.dumps(EXPECTED, indent=2) + "\n" == report  # the order too


def test_read_again():
    assert parse(render(SAMPLE)) == bare(SAMPLE)


def test_stable():
    assert render(SAMPLE) == render(parse(render(SAMPLE)))


@pytest.mark.parametrize("difference", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_stays_a_number_in_json(difference):
    model = msgspec.structs.replace(RETIRED, behaviour=Behaviour(False, difference))
    again = parse(render(Result(None, "index", (model,))))
    assert again.models[0].behaviour == Behaviour(False, 1.7976931348623157e308)


def test_a_file_name_that_is_not_utf8():
    report = render(Result(None, "index", (ModelResult("caf\udce9", "restores"),)))
    assert parse(report).models[0].name == "caf?"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "truncated"),
        ("models: []", "malformed"),
        ("[]", "Expected `object`, got `array`"),
        ("{}", "missing required field `schema`"),
        ('{"version": "2.1.0", "runs": []}', "missing required field `schema`"),
        (render(RESULT).replace('"schema": 1', '"schema": 2'), "`$.schema`"),
        (render(RESULT).replace('"outcome": "raises"', '"outcome": "explodes"'), "explodes"),
        (render(RESULT).replace('"line": 14', '"line": "14"'), "Expected `int`, got `str`"),
        (
            render(RESULT).replace('"verdict": "breaks"', '"verdict": "restores"', 1),
            "its models say 'breaks'",
        ),
        ("[" * 100_000, "schema 1"),
        ("\udcff", "schema 1"),
    ],
)
def test_foreign_input(text, complaint):
    with pytest.raises(ValueError, match="not a") as raised:
        parse(text)
    assert complaint in str(raised.value)


@given(results)
def test_hostile_names_are_harmless(result):
    report = render(result)
    assert report.replace("\n", "").isascii() and report.replace("\n", "").isprintable()
    assert not any(map(is_command, report.splitlines()))
    again = parse(report)
    assert render(again) == report


def test_the_variables_are_for_the_page_alone():
    assert not any("table" in model for model in json.loads(render(result(2)))["models"])
