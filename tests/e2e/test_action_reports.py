"""Where the action's reports go, and what a build can do to them: no TensorFlow, no workflow."""

import json
import subprocess
import sys
from pathlib import Path

import payloads
import pytest
import yaml
from action_job import Job, small_origin
from conftest import SMALL
from pre_commit.clientlib import MANIFEST_HOOK_DICT
from report_samples import RANKER, RETIRED, SUBCLASSED, TOWER, UNAFFECTED, is_command

from restore_guard.actions.__main__ import exit_code
from restore_guard.actions.publishing import breaks
from restore_guard.reports import load
from restore_guard.result import Finding, ModelResult, Result

INVALID = Finding("manifest-invalid", "error", "m.json", 3, "no manifest")
WARNED = ModelResult("m", "restores", findings=(Finding("not-saved", "warning", "m.py", 3, "never written"),))
KNOWN = ModelResult(
    "k", "restores", findings=(Finding("shape-changed", "error", "m.py", 3, "x", status="pre-existing"),)
)


@pytest.fixture
def origin(make_repository):
    return small_origin(make_repository)


@pytest.fixture
def job(origin, tmp_path):
    return Job(origin, tmp_path)


def result(*models):
    return Result("a" * 40, "b" * 40, models)


@pytest.mark.parametrize(
    ("models", "error", "warning", "never", "count"),
    [
        ((RANKER, RETIRED, UNAFFECTED, KNOWN), 0, 0, 0, 0),
        ((RANKER, WARNED), 0, 1, 0, 0),
        ((SUBCLASSED, WARNED), 1, 1, 0, 1),
        ((TOWER, RANKER), 3, 1, 3, 0),
        ((TOWER, SUBCLASSED), 1, 1, 3, 1),
        ((ModelResult("left", "unchecked"),), 3, 3, 3, 0),
        ((ModelResult("both", "breaks", findings=(*TOWER.findings, INVALID)),), 1, 1, 3, 1),
    ],
)
def test_what_fails_the_step(models, error, warning, never, count):
    """Whatever a workflow lets pass, what was not checked is not green."""
    found = result(*models)
    assert [exit_code(found, word) for word in ("error", "warning", "never")] == [error, warning, never]
    assert breaks(found) == count


@pytest.fixture
def joined(job, tmp_path):
    """Runs the step that joins reports of these models."""

    def joined(*models, **environ):
        for number, model in enumerate(models):
            path = tmp_path / "workspace-results" / f"shard-{number}" / "restore-guard.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(load("json").render(result(model)))
        folder = str(tmp_path / "workspace-results")
        return job.run("push", "{}", RESTORE_GUARD_RESULTS=folder, **environ)

    return joined


def test_join(job, joined):
    """Needs neither the event nor the repository: one verdict, its annotations, summary, SARIF and report."""
    assert joined(SUBCLASSED, RANKER, TOWER, RESTORE_GUARD_SARIF_FILE="out/guard.sarif") == 1
    assert job.outputs["verdict"] == "breaks" and job.outputs["breaks"] == "1"
    assert [model["name"] for model in job.report["models"]] == ["subclassed", "ranker", "tower"]
    assert job.log.count("::error ") == 2 and job.log.endswith("1 restores, 1 breaks, 1 unchecked\n")
    summary = job.summary.read_text()
    for said in ("```mermaid\nflowchart LR", 'restore-guard update subclassed --accept-break "REASON"', "tower"):
        assert said in summary
    sarif = json.loads((job.project.root / "out/guard.sarif").read_text())
    assert [entry["ruleId"] for entry in sarif["runs"][0]["results"]] == ["variable-renamed", "build-failed"]


def test_join_of_nothing(job, joined, tmp_path):
    assert joined() == 2
    assert "there is no report to join" in job.log
    assert joined(ModelResult("left", "unchecked")) == 3
    assert "look at the job's log" in job.summary.read_text()
    (tmp_path / "workspace-results/broken.json").write_text("{")
    assert joined(RANKER) == 3
    assert "broken.json: not a JSON report" in job.log


def test_reports_that_are_not_wanted(job, joined):
    assert joined(SUBCLASSED, RESTORE_GUARD_ANNOTATIONS="false", RESTORE_GUARD_SUMMARY="false") == 1
    assert job.log == "1 model, 4 variables, 2 restore paths: 1 breaks\n"
    assert not job.summary.exists()
    assert joined(SUBCLASSED, RESTORE_GUARD_FAIL_ON="never") == 0
    assert job.outputs["verdict"] == "breaks"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("FAIL_ON", "warnings"), ("ANNOTATIONS", "yes"), ("SUMMARY", "1"), ("WITNESS", "sometimes")),
        *(("SHARDS", "257"), ("SHARDS", "-1"), ("SHARDS", "two")),
    ],
)
def test_an_input_that_is_none_of_its_values(job, name, value):
    assert job.run("workflow_dispatch", payloads.workflow_dispatch(), **{f"RESTORE_GUARD_{name}": value}) == 2
    assert f"the input {name.lower().replace('_', '-')} is '{value}': it takes" in job.log


def test_plan(job, origin):
    """What needs no job is judged at once, and joined: also that a model is gone, which no job would see."""
    configured = (origin.root / "pyproject.toml").read_text()
    more = "".join(f'[tool.restore-guard.models.{name}]\nbuilder = "{name}:build"\n' for name in ("a", "b", "gone"))
    manifests = {
        f"restore-manifest/{name}.json": f'{{"schema": 1, "model": "{name}", "sources": ["{name}.py"]}}'
        for name in "ab"
    }
    before = origin.commit({"pyproject.toml": configured + more, "a.py": SMALL, "b.py": SMALL} | manifests)
    kept = (configured + more).replace('[tool.restore-guard.models.gone]\nbuilder = "gone:build"\n', "")
    after = origin.commit({"a.py": SMALL + "#\n", "b.py": SMALL + "#\n", "pyproject.toml": kept})
    event = payloads.push(before, after)
    for shards, matrix in (("8", [(1, "a"), (2, "b")]), ("1", [(1, "a b")])):
        assert job.run("push", event, RESTORE_GUARD_SHARDS=shards) == 0, job.log
        shared = json.loads(job.outputs["matrix"])["include"]
        assert [(entry["shard"], entry["models"]) for entry in shared] == matrix
        assert set(job.outputs) == {"before", "matrix", "report"}
    verdicts = {model["name"]: model["verdict"] for model in job.report["models"]}
    assert verdicts == {"small": "unaffected", "a": "unchecked", "b": "unchecked", "gone": "unaffected"}
    assert [finding["rule"] for model in job.report["models"] for finding in model["findings"]] == ["model-removed"]
    assert job.run("push", payloads.push(after, after), RESTORE_GUARD_SHARDS="8") == 0
    assert job.outputs["matrix"] == '{"include":[]}'


# --- what a build can do -------------------------------------------------------------------------------------

SIGNATURE = {
    "framework": {"tensorflow": "2.21.0"},
    "variables": [{"path": "kernel", "shape": [4, 3], "dtype": "float32", "trainable": True}],
    "object_graph": {"nodes": [{"type": "M", "children": [["kernel", 1]]}, {"type": "Variable", "variable": 0}]},
    "sources": ["small.py"],
}
HOSTILE = """\
#!{python}
import json, os, sys

with open({seen!r}, "w") as file:
    json.dump(dict(os.environ), file)
for stream in (sys.stdout, sys.stderr):
    print("::error::forged by print", file=stream)
    print("  ##[error]forged by print", file=stream, flush=True)
    print("::set-output name=verdict::forged", file=stream, flush=True)
request = json.loads(sys.stdin.readline())
print(json.dumps({{"ready": {{"tensorflow": "2.21.0\\n::error::forged by version"}}}}), flush=True)
for job in request["jobs"]:
    print(json.dumps({{"id": job["id"], "seal": request["seal"], **json.loads({answer!r})}}), flush=True)
"""


def answer(signature):
    return {"result": {"signature": signature, "trace": {}}}


@pytest.fixture
def built(job, origin, tmp_path):
    """Runs a check whose builds are answered by a program of a stranger."""

    def built(answer, **environ):
        python = tmp_path / "python-of-a-stranger"
        python.write_text(HOSTILE.format(python=sys.executable, seen=str(tmp_path / "seen"), answer=json.dumps(answer)))
        python.chmod(0o755)
        event = payloads.push(origin.git("rev-parse", "HEAD"), origin.commit({"small.py": SMALL + "# changed\n"}))
        code = job.run("push", event, RESTORE_GUARD_PYTHON=str(python), **environ)
        lines = [*job.log.splitlines(), *job.errors.splitlines(), *job.summary.read_text().splitlines()]
        ours = ("::error file=", "::warning file=", "::error title=restore-guard")
        assert [line for line in lines if is_command(line) and not line.startswith(ours)] == []
        assert set(job.outputs) == {"before", "verdict", "breaks", "report"}
        return code

    return built


def test_an_honest_answer(job, built):
    """The control: the same program can be believed."""
    assert built(answer(SIGNATURE) | {"strategy": "graph"}) == 1
    assert job.outputs["verdict"] == "breaks"  # this repository's manifest is no whole one
    assert [finding["rule"] for finding in job.report["models"][0]["findings"]] == ["manifest-invalid"]


def test_what_a_build_says_is_no_command(job, built):
    text = "x\n::error::forged\r::error::forged\n##[error]forged %0A::error::forged"
    assert built({"failure": text, "detail": f"{text}\n" * 9}) == 1
    assert "build-failed" in job.log and "forged" in job.log
    hostile = json.loads(
        json.dumps(SIGNATURE).replace("kernel", "\\n::error::forged ##[error]").replace("small.py", "::x")
    )
    built(answer(hostile))


@pytest.mark.parametrize(
    "signature",
    [
        *(None, [], {"framework": {}}, SIGNATURE | {"variables": []}, SIGNATURE | {"object_graph": {"nodes": []}}),
        SIGNATURE | {"sources": [["small.py"]]},
        SIGNATURE | {"variables": [SIGNATURE["variables"][0] | {"shape": "wide"}]},
        SIGNATURE | {"keras_tree": {"generation": 3, "nests": True, "nodes": [], "more": [[[[[]]]]] * 99}},
    ],
)
def test_an_answer_that_makes_no_sense_is_a_build_that_failed(job, built, signature):
    assert built(answer(signature)) == 1
    rules = [finding["rule"] for finding in job.report["models"][0]["findings"]]
    assert rules == ["build-failed", "manifest-invalid"]
    assert "the build returned a signature that cannot be read" in job.log


@pytest.mark.parametrize(
    "more",
    [
        {"result": None},
        {"result": {"signature": SIGNATURE}},
        {"result": {"signature": SIGNATURE, "trace": {"created": [[99, "Dense", 99]], "spots": "x"}}},
        {"strategy": "magic"},
        {"seconds": "long"},
    ],
)
def test_so_is_one_of_another_form(job, built, more):
    assert built(answer(SIGNATURE) | more) == 1
    assert job.report["models"][0]["findings"][0]["rule"] == "build-failed"


def test_a_trace_that_leads_nowhere(job, built):
    trace = {"created": [[99, "Dense", 99]], "files": ["../../etc/passwd", "\u0000"], "outside": ["/absent"]}
    assert built({"result": {"signature": SIGNATURE, "trace": trace}}) == 1
    assert job.outputs["verdict"] == "breaks"


def test_a_build_sees_no_secret(built, tmp_path):
    secrets = {
        "GITHUB_TOKEN": "hunter2",
        "ACTIONS_RUNTIME_TOKEN": "hunter2",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.org",
        "GITHUB_ENV": str(tmp_path / "env"),
        "GITHUB_PATH": str(tmp_path / "path"),
        "GITHUB_STATE": str(tmp_path / "state"),
        "WANDB_API_KEY": "hunter2",
        "PIP_INDEX_URL": "https://me:hunter2@example.org",
    }
    built({"failure": "x"}, **secrets, KERAS_BACKEND="tensorflow")
    seen = json.loads((tmp_path / "seen").read_text())
    assert seen.keys() & {*secrets, "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} == set()
    assert "hunter2" not in "".join(seen.values())
    assert seen["KERAS_BACKEND"] == "tensorflow" and seen["GITHUB_EVENT_NAME"] == "push"


# --- the rest ------------------------------------------------------------------------------------------------


def test_report_that_cannot_be_written_never_fails_the_run(job, origin, tmp_path):
    origin.commit({"README.md": "1"})
    absent = str(tmp_path / "absent/file")
    payload = payloads.push(origin.git("rev-parse", "HEAD~"), origin.git("rev-parse", "HEAD"))
    places = {"GITHUB_OUTPUT": absent, "GITHUB_STEP_SUMMARY": absent, "RUNNER_TEMP": absent}
    assert job.run("push", payload, **places, RESTORE_GUARD_SARIF_FILE="README.md/x.sarif") == 0
    assert job.log.count("::warning title=restore-guard::The ") == 4
    assert "1 unaffected" in job.log
    assert job.run("push", payload, GITHUB_OUTPUT="", GITHUB_STEP_SUMMARY="") == 0
    assert "::warning" not in job.log


def test_message_cannot_start_a_second_command(job):
    named = {"RESTORE_GUARD_MODELS": "x\n::error::forged", "RESTORE_GUARD_BASE": "HEAD"}
    assert job.run("workflow_dispatch", payloads.workflow_dispatch(), **named) == 2
    assert [line for line in job.log.splitlines() if line.startswith("::error::forged")] == []
    assert job.run("push", {"before": "\n::error::forged\n"}) == 3
    assert [line for line in job.log.splitlines() if line.startswith("::error::forged")] == []


def test_modules_of_the_repository_are_not_the_tools(job, origin):
    for name in ("click", "git", "msgspec", "restore_guard", "json"):
        origin.write({f"{name}.py": "raise SystemExit('imported from the repository')\n"})
    origin.commit()
    origin.commit({"README.md": "1"})
    payload = payloads.push(origin.git("rev-parse", "HEAD~"), origin.git("rev-parse", "HEAD"))
    assert job.run("push", payload, PYTHONPATH=str(origin.root)) == 0, job.log


def test_linters_have_nothing_to_say(tool):
    """zizmor and check-jsonschema on the action, the workflows and the hook's definition."""
    binaries = Path(sys.executable).parent
    workflows = [str(path) for path in (tool / ".github/workflows").glob("*.yml")]
    for command in (
        ["zizmor", "--offline", "--no-progress", "--quiet", "."],
        ["check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows],
        ["pre-commit", "validate-manifest", ".pre-commit-hooks.yaml"],
    ):
        done = subprocess.run([f"{binaries}/{command[0]}", *command[1:]], cwd=tool, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    (hook,) = yaml.safe_load((tool / ".pre-commit-hooks.yaml").read_text())
    assert hook.keys() <= {item.key for item in MANIFEST_HOOK_DICT.items}, "pre-commit lets unknown keys through"


def test_no_workflow_asks_for_more_than_to_read(tool):
    """But for the release, of a tag that somebody with the right to push it has pushed: see tests/test_release.py."""
    paths = {path.name: path for path in [tool / "action.yml", *(tool / ".github/workflows").glob("*.yml")]}
    del paths["release.yml"]
    assert {"action.yml", "ci.yml", "sharded.yml"} <= paths.keys()
    for name, path in paths.items():
        assert "secrets." not in path.read_text(), path
        assert path.read_text().count("github.token") == (name == "action.yml"), path
        if name != "action.yml":
            workflow = yaml.safe_load(path.read_text())
            assert workflow["permissions"] == {"contents": "read"}, path
            assert not [name for name, job in workflow["jobs"].items() if "permissions" in job], path


def test_every_input_of_the_action_is_read(tool):
    """And only as a variable: an expression in a script could be a script."""
    action = yaml.safe_load((tool / "action.yml").read_text())
    *_, step, comment = action["runs"]["steps"]
    given = {name: value for name, value in step["env"].items() if name.startswith("RESTORE_GUARD_")}
    named = {
        f"RESTORE_GUARD_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in action["inputs"]
    }
    assert given == named
    assert not [part for part in action["runs"]["steps"] if "${{" in part["run"]]
    assert comment["env"]["RESTORE_GUARD_TOKEN"] == "${{ github.token }}", "no build runs any more"
    assert {name: output["value"] for name, output in action["outputs"].items()} == {
        name: f"${{{{ steps.run.outputs.{name} }}}}" for name in ("verdict", "breaks", "report", "matrix")
    }
