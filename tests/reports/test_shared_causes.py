"""Five models that share a layer's file: one finding that says so."""

import msgspec
from report_samples import RENAMED, SUBCLASSED

from restore_guard.reports import load
from restore_guard.reports.shared_causes import grouped
from restore_guard.result import Result

NAMES = ("one", "two", "three", "four", "five", "six")


def model(name):
    accept = f'restore-guard update {name} --accept-break "REASON"'
    finding = msgspec.structs.replace(RENAMED, accept=accept, message=f"dense_1 of {name} is now denselayer1.")
    return msgspec.structs.replace(SUBCLASSED, name=name, findings=(finding,))


MODELS = tuple(map(model, NAMES))
RESULT = Result("0" * 40, "index", MODELS)
COMMAND = f'restore-guard update {" ".join(NAMES)} --accept-break "REASON"'


def test_one_line_of_many_models_is_told_once():
    (told,) = grouped(MODELS)
    assert told.model is MODELS[0] and [other.name for other, _ in told.others] == list(NAMES[1:])
    assert "The same in 5 other models: two, three, four, five, and 1 more." in told.finding.message
    assert told.finding.accept == COMMAND


def test_what_stands_on_no_line_or_in_the_same_model_is_not_shared():
    loose = msgspec.structs.replace(RENAMED, line=0)
    apart = [msgspec.structs.replace(each, findings=(loose,)) for each in MODELS[:2]]
    assert len(grouped(apart)) == 2
    twice = msgspec.structs.replace(MODELS[0], findings=(RENAMED, msgspec.structs.replace(RENAMED, old="other")))
    assert len(grouped([twice])) == 2
    warned = msgspec.structs.replace(MODELS[1], findings=(msgspec.structs.replace(RENAMED, level="warning"),))
    assert len(grouped([MODELS[0], warned])) == 2


def test_every_report_for_people_tells_it_once():
    text = load("text").render(RESULT, color=False, width=120)
    assert text.count("fix:") == 1 and COMMAND in text
    assert text.count("models.py:14: error: variable-renamed, the same as in one") == 5
    assert load("github").render(RESULT).count("::error ") == 1
    markdown = load("markdown").render(RESULT)
    assert markdown.count("### ") == 1
    assert "<details><summary>The same in 5 other models</summary>" in markdown and "dense_1 of six" in markdown
    page = load("html").render(RESULT)
    assert page.count("<article") == 1 and "<details><summary>The same in 5 other models</summary>" in page
    # A program is told of each model.
    assert load("json").render(RESULT).count('"rule": "variable-renamed"') == 6


def test_manifests_that_nobody_has_written_are_told_once():
    missing = [
        msgspec.structs.replace(
            RENAMED, rule="manifest-missing", message=f"{name} has none.", file=f"{name}.json", line=0, accept=None
        )
        for name in NAMES
    ]
    each = zip(MODELS, missing, strict=True)
    (told,) = grouped(msgspec.structs.replace(model, findings=(finding,)) for model, finding in each)
    assert told.finding.message.startswith("one has none. The same in 5 other models: two, three,")
