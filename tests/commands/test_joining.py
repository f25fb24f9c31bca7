"""JSON reports of several jobs joined: by the function, and by the command `report`."""

import json

import msgspec
import pytest
from report_samples import RANKER, RETIRED, SUBCLASSED, TOWER, UNAFFECTED

from restore_guard.commands.joining import found, join, read
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.reports import load
from restore_guard.result import Finding, ModelResult, Result

LEFT = ModelResult("ranker", "unchecked")


def result(*models, base="a" * 40, head="b" * 40):
    return Result(base, head, models)


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(load("json").render(content) if isinstance(content, Result) else content)
        return path

    return write


@pytest.fixture
def project(make_repository):
    return make_repository(files={"README.md": ""})


@pytest.mark.parametrize(
    ("models", "verdict", "code"),
    [
        ((RANKER, UNAFFECTED), "restores", 0),
        ((RANKER, TOWER), "unchecked", 3),
        ((TOWER, SUBCLASSED), "breaks", 1),
        ((LEFT, UNAFFECTED), "unchecked", 3),
    ],
)
def test_verdict(models, verdict, code):
    joined = join({f"{number}.json": result(model) for number, model in enumerate(models)})
    assert (joined.verdict, joined.exit_code) == (verdict, code)
    assert [model.name for model in joined.models] == [model.name for model in models]


def test_what_the_plan_left_to_a_job_is_replaced_wherever_it_stands():
    plan, shard = result(UNAFFECTED, LEFT, base=None), result(RANKER, base=None)
    for order in ({"plan": plan, "1": shard}, {"1": shard, "plan": plan}):
        joined = join(order)
        assert {model.name: model.verdict for model in joined.models} == {
            "untouched": "unaffected",
            "ranker": "restores",
        }


def test_no_report_of_what_the_plan_left_to_a_job():
    joined = join({"plan": result(LEFT, UNAFFECTED)})
    assert joined.exit_code == 3
    assert joined.models[0].notes == ("No report says what became of it: look at the job's log.",)


def test_a_model_that_could_not_be_checked_is_no_plan():
    with pytest.raises(UsageError, match=r"^tower is in both 1\.json and 2\.json"):
        join({"1.json": result(TOWER), "2.json": result(msgspec.structs.replace(RANKER, name="tower"))})


@pytest.mark.parametrize(
    "other", [result(RANKER, base="c" * 40), result(RANKER, base=None), result(RANKER, head="index")]
)
def test_reports_of_different_commits(other):
    with pytest.raises(UsageError, match="one run only"):
        join({"1.json": result(TOWER), "2.json": other})


def test_nothing_to_join():
    with pytest.raises(UsageError, match="no report"):
        join({})


def test_advice_follows_from_the_rule(write):
    stale = Finding("manifest-stale", "error", "m.json", 0, "stale")
    foreign = Finding("rule-of-tomorrow", "error", "m.py", 0, "?", ("h5",))
    whole = msgspec.structs.replace(SUBCLASSED, findings=(*SUBCLASSED.findings, *RETIRED.findings, stale, foreign))
    (model,) = join(read([write("1.json", result(whole))])).models
    renamed, retired, manifest, tomorrow = model.findings
    assert renamed.fix.startswith("Keep the old name")
    assert renamed.accept == 'restore-guard update subclassed --accept-break "REASON"'
    assert (retired.fix, retired.accept) == ("", "")
    assert "update" in manifest.fix and manifest.accept == ""
    assert tomorrow.fix == ""


@pytest.mark.parametrize("content", ["", "{}", "[" * 10**5, '{"schema": 2}'])
def test_unreadable(write, content):
    with pytest.raises(UncheckedError, match=r"1\.json: not a JSON report of restore-guard"):
        read([write("1.json", content)])


def test_missing(tmp_path):
    with pytest.raises(UncheckedError, match=r"2\.json: No such file or directory\. Did the job"):
        read([tmp_path / "2.json"])
    with pytest.raises(UncheckedError, match="Is a directory"):
        read([tmp_path])


def test_found_as_artifacts_are_downloaded(write, tmp_path):
    written = [write(f"restore-guard-{name}/restore-guard.json", result(RANKER)) for name in ("plan", "10", "2")]
    write("restore-guard-2/log.txt", "")
    assert found(tmp_path) == sorted(written)
    assert found(tmp_path / "absent") == []


def test_command(project, write):
    one, other = write("1.json", result(RANKER)), write("2.json", result(SUBCLASSED, TOWER))
    run = project.run("report", str(one), str(other))
    assert run.code == 1
    assert run.stdout.endswith("3 models, 28 variables, 3 restore paths: 1 restores, 1 breaks, 1 unchecked\n")
    assert 'accept: restore-guard update subclassed --accept-break "REASON"' in run.stdout
    run = project.run("report", "--format", "json", str(other), str(one))
    assert (run.code, run.report["verdict"], len(run.report["models"])) == (1, "breaks", 3)
    for form, said in {"github": "::error file=models.py", "markdown": "```mermaid", "html": "</h1>"}.items():
        run = project.run("report", "--format", form, str(one), str(other))
        assert run.code == 1 and said in run.stdout, form
    assert project.run("report", str(one)).code == 0


def test_command_that_cannot_join(project, write, tmp_path):
    one = str(write("1.json", result(RANKER)))
    for arguments, code, said in (
        ((), 2, "Missing argument"),
        ((one, str(tmp_path / "absent.json")), 3, "absent.json: No such file"),
        ((one, str(write("2.json", "{"))), 3, "2.json: not a JSON report"),
        ((one, str(write("3.json", result(RANKER)))), 2, "ranker is in both"),
        ((one, str(write("4.json", result(TOWER, head="index")))), 2, "one run only"),
    ):
        run = project.run("report", *arguments)
        assert run.code == code and said in run.stderr, (arguments, run)
        assert run.stdout == ""


def test_command_writes_what_code_scanning_reads(project, write, tmp_path):
    run = project.run(
        *("report", str(write("1.json", result(SUBCLASSED))), "--format", "sarif"),
        *("--output", str(tmp_path / "x.sarif")),
    )
    assert run.code == 1
    assert run.stdout == "1 model, 4 variables, 2 restore paths: 1 breaks\n"
    assert json.loads((tmp_path / "x.sarif").read_text())["version"] == "2.1.0"
