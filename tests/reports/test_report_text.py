"""The text report: what a person sees at a terminal, word by word."""

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import RENAMED, SAMPLE, SUBCLASSED, is_command, many, results

from restore_guard.reports import load
from restore_guard.reports.text_report import render, render_findings
from restore_guard.result import Behaviour, Finding, ModelResult, PathResult, Result

EXPECTED = """\
✗ subclassed: breaks (4 variables)
  ! tf-checkpoint  partial  SILENT: 2 of 4 restored, 2 keep their initial value
                            initial value: denselayer1/kernel, denselayer1/bias
                            dropped: dense_1/kernel, dense_1/bias
  ✗ keras-weights  raises   ValueError: Layer 'dense' expected 2 variables.

  models.py:14: error: variable-renamed
    saved       now
    dense_1  →  denselayer1
    Attribute dense_1 is now denselayer1: no saved checkpoint has its 2
    variables under that name.
    - tf-checkpoint: 2 variables keep their initial value, silently.
    - keras-weights: raises ValueError.
    fix:    Name the attribute dense_1 again.
    accept: restore-guard update subclassed --accept-break "REASON"
    or:     restore-guard update subclassed --migrate "REASON"
    then:   restore-guard migrate CHECKPOINT OUT

✓ ranker: restores (24 variables)
  ✓ tf-checkpoint  restores  24 of 24 restored (witnessed)
  ✓ outputs        same      base and head compute the same

? tower: unchecked
  note: The base builds: 12 variables.

  tower/model.py:3: error: build-failed
    tower.model:build cannot be built: ModuleNotFoundError: No module named
    'faiss'.
    fix:    Install faiss in the environment that builds.

✓ retired: restores (6 variables, 1 accepted)
  ! tf-checkpoint  partial  SILENT: 6 of 6 restored, 1 saved value dropped
                            dropped: aux_head/kernel

  retired.py: error: variable-missing (accepted)
    saved               now
    aux_head/kernel  →  (nothing)
    aux_head/kernel is gone.

note: The release v1 has no manifest.

5 models, 34 variables, 4 restore paths: 2 restore, 1 breaks, 1 unchecked, 1 unaffected
"""
COLOR = re.compile(r"\x1b\[\d+m")


def one(**fields) -> Result:
    return Result(None, "index", (ModelResult("m", "breaks", 8, **fields),))


def test_sample():
    assert render(SAMPLE, width=80) == EXPECTED


def test_colour_changes_no_word_and_a_silent_restore_stands_out():
    colored = render(SAMPLE, color=True, width=80)
    assert COLOR.sub("", colored) == EXPECTED
    partial = next(line for line in colored.splitlines() if "2 of 4 restored" in line)
    raises = next(line for line in colored.splitlines() if "keras-weights" in line)
    white_on_red = "\x1b[37m\x1b[41m"
    assert partial.count(white_on_red) == 2
    assert white_on_red not in raises


def test_nothing_is_wider_than_the_terminal_but_the_summary():
    assert max(map(len, render(SAMPLE, width=80).splitlines()[:-1])) <= 80


def test_a_wide_terminal_is_used():
    assert RENAMED.message in render(SAMPLE, width=160)


def test_wide_names_stand_below_each_other():
    old, new = "encoder/" * 6 + "kernel", "transformer/" * 4 + "kernel"
    finding = Finding("variable-renamed", "error", "", 0, "Renamed.", old=old, new=new)
    assert f"  error: variable-renamed\n    saved   {old}\n    now   → {new}\n    Renamed.\n" in render(
        one(findings=(finding,))
    )


def test_a_variable_only_added():
    finding = Finding("variable-added", "warning", "m.py", 7, "Added.", new="head/bias", status="pre-existing")
    assert (
        "  m.py:7: warning: variable-added (pre-existing)\n"
        "    saved         now\n"
        "    (nothing)  →  head/bias\n"
        "    Added.\n"
    ) in render(one(findings=(finding,)))


def test_long_lists_are_cut():
    initial = tuple(f"v{number}" for number in range(35))
    path = PathResult("partial", restored=5, variables=40, initial=initial, unused=("old",))
    report = render(one(restores={"h5": path}), width=120)
    assert (
        "  ! h5  partial  SILENT: 5 of 40 restored, 35 keep their initial value, 1 saved value dropped\n"
        "                 initial value: v0, v1, v2, v3, and 31 more\n"
        "                 dropped: old\n"
    ) in report


def test_many_findings_are_cut_and_the_rest_is_counted():
    report = render(many(30))
    assert report.count("error: shape-changed") == 20
    assert "  and 10 more findings\n\n1 model, 30 variables, 0 restore paths: 1 breaks\n" in report


def test_values_in_the_wrong_variables_do_not_read_as_restored():
    path = PathResult("restores", restored=4, variables=4, misplaced=("query/kernel", "key/kernel"))
    assert (
        "  ! h5  misplaced  SILENT: 4 of 4 restored, 2 in the wrong variable\n"
        "                   misplaced: query/kernel, key/kernel\n"
    ) in render(one(restores={"h5": path}))


def test_other_outcomes():
    report = render(
        one(
            restores={
                "h5": PathResult("unsupported", restored=0, variables=8),
                "tf-checkpoint": PathResult("raises", restored=0, variables=8),
                "keras-weights": PathResult("partial", restored=7, variables=8, initial=("a",)),
                "keras-archive": PathResult("restores", restored=8, variables=8, outputs="differ"),
                "h5-by-name": PathResult("restores", restored=8, variables=8, uncompared="it cannot be called"),
            },
            behaviour=Behaviour(same_output=False, max_difference=0.25),
            manifest="missing",
        ),
        width=100,
    )
    assert report == (
        "✗ m: breaks (8 variables, manifest missing)\n"
        "  - h5             unsupported  the unchanged model cannot be saved and loaded this way\n"
        "  ✗ tf-checkpoint  raises       the load call raises\n"
        "  ! keras-weights  partial      SILENT: 7 of 8 restored, 1 keeps its initial value\n"
        "                                initial value: a\n"
        "  ✓ keras-archive  restores     8 of 8 restored\n"
        "  ✓ h5-by-name     restores     8 of 8 restored\n"
        "  ! outputs        differ       by up to 0.25, by keras-archive\n"
        "                                not compared by h5-by-name: it cannot be called\n"
        "\n"
        "1 model, 8 variables, 5 restore paths: 1 breaks\n"
    )


def test_silent_before_raising_before_stale_before_warning_before_old():
    def finding(rule, level="error", restores=(), status="new"):
        return Finding(rule, level, "", 0, "", restores, status=status)

    old = finding("old", restores=("tf-checkpoint",), status="pre-existing")
    findings = (
        finding("warned", "warning", ("tf-checkpoint",)),
        old,
        finding("stale"),
        finding("raised", restores=("keras-weights",)),
        finding("silenced", restores=("keras-weights", "tf-checkpoint")),
        finding("switched-off", "off"),
    )
    report = render(one(restores=SUBCLASSED.restores, findings=findings))
    assert re.findall(r"(?:error|warning): ([\w-]+)", report) == [
        "silenced",
        "raised",
        "stale",
        "old",
        "warned",
    ]


def test_an_unaffected_model_is_named_only_where_there_is_something_to_say():
    missing = Finding("manifest-missing", "error", "m.json", 0, "No manifest.", status="pre-existing")
    models = (
        ModelResult("quiet", "unaffected", 3),
        ModelResult("loud", "unaffected", manifest="missing", findings=(missing,)),
    )
    assert render(Result(None, "index", models)) == (
        "- loud: unaffected (manifest missing, 1 pre-existing)\n"
        "\n"
        "  m.json: error: manifest-missing (pre-existing)\n"
        "    No manifest.\n"
        "\n"
        "2 models, 0 variables, 0 restore paths: 2 unaffected\n"
    )


def test_findings_alone():
    first, second = (Finding("r", "error", "m.py", line, "Gone.") for line in (1, 2))
    assert render_findings([first, second]) == "  m.py:1: error: r\n    Gone.\n\n  m.py:2: error: r\n    Gone."
    assert render_findings([]) == ""


def test_nothing_checked():
    assert render(Result(None, "index", ())) == "0 models, 0 variables, 0 restore paths: nothing checked\n"


@given(results, st.booleans(), st.integers(1, 200))
def test_hostile_names_are_harmless(result, color, width):
    report = render(result, color=color, width=width)
    assert report.endswith("\n")
    lines = report[:-1].split("\n")
    bare = [COLOR.sub("", line) for line in lines]
    assert all(line.isprintable() for line in bare)
    assert bare[-1] == result.summary()
    assert not any(map(is_command, [*lines, *bare]))
    if not color:
        assert bare == lines


def test_no_heavy_import_at_start():
    code = (
        "import sys, restore_guard.reports; before = set(sys.modules); restore_guard.reports.load('text');"
        "print('rich' in sys.modules, 'restore_guard.result' in before)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


WHOLE = {"tf-checkpoint": PathResult("restores", 3, 3)}
FAULTS = {
    rule: Finding(rule, "error", "restore-manifest/ranker.json", 0, "Something is wrong.")
    for rule in ("manifest-stale", "manifest-missing", "manifest-invalid", "build-failed", "shape-changed")
}


@pytest.mark.parametrize(
    ("rules", "state", "restores", "word", "counted"),
    [
        (["manifest-stale"], "stale", WHOLE, "restores, manifest stale", "1 restores with a stale manifest"),
        (["manifest-invalid"], "stale", WHOLE, "restores, manifest stale", "1 restores with a stale manifest"),
        (["manifest-missing"], "missing", WHOLE, "restores, manifest missing", "1 restores without a manifest"),
        (["manifest-missing"], "missing", {}, "manifest missing", "1 has no manifest"),
        (
            ["build-failed", "manifest-missing"],
            "missing",
            {},
            "not built, manifest missing",
            "1 not built, without a manifest",
        ),
        (
            ["build-failed", "manifest-invalid"],
            "stale",
            {},
            "not built, manifest stale",
            "1 not built, with a stale manifest",
        ),
        (["shape-changed", "manifest-stale"], "stale", WHOLE, "breaks", "1 breaks"),
    ],
)
def test_a_model_whose_only_fault_is_its_manifest_is_not_called_broken(rules, state, restores, word, counted):
    found = tuple(FAULTS[rule] for rule in rules)
    result = Result(None, "index", (ModelResult("ranker", "breaks", 0, state, restores, findings=found),))
    text = render(result)
    assert text.startswith(f"✗ ranker: {word}") and text.endswith(f"{counted}\n"), text
    assert result.exit_code == 1
    for form in ("markdown", "html"):
        page = load(form).render(result)
        assert ("no longer restore" in page) == (word == "breaks"), page


def test_a_hook_that_passes_says_only_what_somebody_must_know():
    warned = Finding("behaviour-changed", "warning", "net.py", 3, "The outputs differ.")
    models = (
        ModelResult("quiet", "restores", 3, restores=WHOLE),
        ModelResult("warned", "restores", 3, restores=WHOLE, findings=(warned,)),
        ModelResult("noted", "restores", 3, restores=WHOLE, notes=("The base no longer builds.",)),
    )
    text = render(Result(None, "index", models), brief=True)
    assert "quiet" not in text and "net.py:3: warning: behaviour-changed" in text and "no longer builds" in text
    assert render(Result(None, "index", models[:1]), brief=True) == "1 model, 3 variables, 1 restore path: 1 restores\n"
