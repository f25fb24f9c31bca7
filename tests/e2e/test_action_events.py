"""What an event compares and where its reports go, without a workflow: real git, no TensorFlow."""

import json
import os
import subprocess
import sys

import pytest
from conftest import SMALL, Project, settings

ZEROS = "0" * 40


class Job:
    """A checkout, and the action's second step run in it."""

    def __init__(self, project, folder):
        self.project, self.folder = project, folder

    def run(self, event, payload, **environ):
        (self.folder / "event.json").write_text(payload if isinstance(payload, str) else json.dumps(payload))
        self.output, self.summary = self.folder / "output", self.folder / "summary"
        self.output.write_text("before=1\n")
        done = subprocess.run(
            [sys.executable, "-I", "-m", "restore_guard.actions"],
            cwd=self.project.root,
            env=self.project.environ
            | {
                "GITHUB_EVENT_NAME": event,
                "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
                "GITHUB_OUTPUT": str(self.output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
            }
            | {f"RESTORE_GUARD_{name}": "" for name in ("BASE", "HEAD", "MODELS", "PYTHON")}
            | {"RESTORE_GUARD_WORKING_DIRECTORY": "."}
            | environ,
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr, done.stderr
        self.log = done.stdout
        return done.returncode

    @property
    def outputs(self):
        return dict(line.split("=") for line in self.output.read_text().splitlines())


@pytest.fixture
def origin(make_repository):
    """A repository of which every commit adds a line to a manifest that nobody reads further than its sources.

    The interpreter does not exist: a check that finds the model touched ends with exit 2 and says so.
    """
    project = make_repository(
        name="origin",
        files={
            "small.py": SMALL,
            "pyproject.toml": settings("no-such-python", {"small": 'builder = "small:build"'}),
            "restore-manifest/small.json": '{"sources": ["small.py"]}\n',
            "README.md": "",
        },
    )
    project.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return project


@pytest.fixture
def job(origin, tmp_path):
    return Job(origin, tmp_path)


def _pull_request(origin, touched):
    """main moves on while a branch changes a file; returns (head, stale base, base as merged)."""
    stale = origin.git("rev-parse", "HEAD")
    origin.git("checkout", "--quiet", "-b", "feature")
    head = origin.commit({touched: SMALL + "# feature\n"})
    origin.git("checkout", "--quiet", "main")
    merged = origin.commit({"small.py": SMALL + "# main moved on\n", "other.md": ""})
    if touched == "small.py":
        origin.git("merge", "--quiet", "--strategy-option=theirs", "--no-ff", "--message", "merge", "feature")
    else:
        origin.git("merge", "--quiet", "--no-ff", "--message", "merge", "feature")
    return head, stale, merged


def _event(head, base):
    return {"pull_request": {"head": {"sha": head}, "base": {"sha": base}}}


def _shallow(job, tmp_path):
    clone = tmp_path / "clone"
    job.project.git("clone", "--quiet", "--depth=1", f"file://{job.project.root}", str(clone))
    job.project = Project(clone, tmp_path / "home-clone")
    return job


@pytest.mark.parametrize("shallow", [False, True])
def test_pull_request_is_compared_with_the_base_as_merged(job, origin, tmp_path, shallow):
    """Seen from the event's stale base, the model would be touched: by main, not by the pull request."""
    head, stale, _ = _pull_request(origin, "notes.py")
    if shallow:
        _shallow(job, tmp_path)
    assert job.run("pull_request", _event(head, stale)) == 0, job.log
    assert job.outputs == {"before": "1", "verdict": "restores", "breaks": "0"}
    assert job.log == "1 model, 0 variables, 0 restore paths: 1 unaffected\n"
    assert job.summary.read_text().count("1 unaffected") == 1
    assert job.run("pull_request", _event(head, stale), RESTORE_GUARD_BASE=stale) == 2  # the control


@pytest.mark.parametrize("shallow", [False, True])
def test_pull_request_that_touches_the_model_is_checked(job, origin, tmp_path, shallow):
    head, stale, _ = _pull_request(origin, "small.py")
    if shallow:
        _shallow(job, tmp_path)
    assert job.run("pull_request", _event(head, stale)) == 2
    assert "no-such-python" in job.log


def test_complete_clone_stays_complete(job, origin):
    head, stale, _ = _pull_request(origin, "notes.py")
    job.run("pull_request", _event(head, stale))
    assert not (origin.root / ".git/shallow").exists()


def test_head_of_the_pull_request_checked_out_by_hand(job, origin):
    head, stale, _ = _pull_request(origin, "notes.py")
    origin.git("checkout", "--quiet", "feature")
    assert job.run("pull_request", _event(head, stale)) == 3
    assert job.outputs["verdict"] == "unchecked"
    assert "::error title=restore-guard%3A not checked::" in job.log
    assert "Remove `ref:` from actions/checkout, or give the input base." in job.log
    # A merge on the branch is not the merge of the pull request.
    origin.git("merge", "--quiet", "--no-ff", "--message", "update branch", stale, "main~")
    assert job.run("pull_request", _event(origin.git("rev-parse", "HEAD"), stale)) == 3


@pytest.mark.parametrize("shallow", [False, True])
def test_push(job, origin, tmp_path, shallow):
    before = origin.git("rev-parse", "HEAD")
    origin.commit({"README.md": "1"})
    origin.commit({"README.md": "2"})
    if shallow:
        _shallow(job, tmp_path)
    assert job.run("push", {"before": before}) == 0
    assert job.outputs["verdict"] == "restores"


def test_push_of_a_model(job, origin):
    before = origin.git("rev-parse", "HEAD")
    origin.commit({"small.py": SMALL + "#\n"})
    origin.commit({"README.md": "the last commit touches no model, the push does"})
    assert job.run("push", {"before": before}) == 2
    assert "no-such-python" in job.log


def test_first_push_of_a_branch_has_no_base(job):
    """Nothing to compare with is no reason to be green: every model is built."""
    assert job.run("push", {"before": ZEROS}) == 2
    assert "no-such-python" in job.log


@pytest.mark.parametrize("shallow", [False, True])
def test_push_that_forced_its_base_away(job, origin, tmp_path, shallow):
    origin.commit({"README.md": "1"})
    if shallow:
        _shallow(job, tmp_path)
    assert job.run("push", {"before": "1234567890" * 4}) == 3
    assert job.outputs == {"before": "1", "verdict": "unchecked", "breaks": "0"}
    assert "1234567890" * 4 in job.log
    assert ("fetch-depth: 0" if shallow else "no such commit") in job.log


def test_merge_group(job, origin):
    base = origin.git("rev-parse", "HEAD")
    origin.commit({"README.md": "1"})
    assert job.run("merge_group", {"merge_group": {"base_sha": base}}) == 0


@pytest.mark.parametrize("event", ["workflow_dispatch", "schedule"])
def test_event_without_a_base_needs_the_input(job, origin, event):
    assert job.run(event, {}) == 2
    assert f"the event {event} does not say what to compare with: give the input base" in job.log
    origin.commit({"README.md": "1"})
    assert job.run(event, {}, RESTORE_GUARD_BASE="HEAD~") == 0
    assert job.run(event, {}, RESTORE_GUARD_BASE="HEAD~", RESTORE_GUARD_HEAD="HEAD~") == 0
    assert job.run(event, {}, RESTORE_GUARD_BASE="HEAD~", RESTORE_GUARD_MODELS="small nobody") == 2
    assert "nobody is not a configured model" in job.log


def test_named_base_in_a_shallow_clone(job, origin, tmp_path):
    origin.git("branch", "release")
    origin.commit({"README.md": "1"})
    _shallow(job, tmp_path)
    assert job.run("workflow_dispatch", {}, RESTORE_GUARD_BASE="release") == 0, job.log
    assert job.run("workflow_dispatch", {}, RESTORE_GUARD_BASE="absent") == 3
    assert job.run("workflow_dispatch", {}, RESTORE_GUARD_BASE="--upload-pack=x") == 2


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_events_that_run_strangers_code_with_secrets_are_refused(job, event):
    assert job.run(event, _event("x", "y"), RESTORE_GUARD_BASE="HEAD") == 2
    assert f"restore-guard does not run on {event}" in job.log
    assert job.outputs["verdict"] == "unchecked"
    assert "does not run on" in job.summary.read_text()


@pytest.mark.parametrize("payload", ["{", "[]", "{}", '{"before": 3}', '{"before": ""}'])
def test_event_file_that_says_nothing(job, payload):
    assert job.run("push", payload) == 3
    assert "event" in job.log


def test_folder_of_a_monorepo(job, origin):
    (origin.root / "sub").mkdir()
    files = {f"sub/{name}": (origin.root / name).read_text() for name in ("small.py", "pyproject.toml")}
    origin.commit(files | {"sub/restore-manifest/small.json": '{"sources": []}'})
    origin.commit({"small.py": SMALL + "# of the other project\n"})
    before = origin.git("rev-parse", "HEAD~")
    assert job.run("push", {"before": before}, RESTORE_GUARD_WORKING_DIRECTORY="sub") == 0
    assert job.run("push", {"before": before}) == 2
    assert job.run("push", {"before": before}, RESTORE_GUARD_WORKING_DIRECTORY="absent") == 2
    assert "absent: no such folder" in job.log


def test_report_that_cannot_be_written_never_fails_the_run(job, origin, tmp_path):
    origin.commit({"README.md": "1"})
    absent = str(tmp_path / "absent/file")
    payload = {"before": origin.git("rev-parse", "HEAD~")}
    assert job.run("push", payload, GITHUB_OUTPUT=absent, GITHUB_STEP_SUMMARY=absent) == 0
    assert job.log.count("::warning title=restore-guard::The ") == 2
    assert "1 unaffected" in job.log
    assert job.run("push", payload, GITHUB_OUTPUT="", GITHUB_STEP_SUMMARY="") == 0
    assert "::warning" not in job.log


def test_message_cannot_start_a_second_command(job):
    assert job.run("workflow_dispatch", {}, RESTORE_GUARD_MODELS="x\n::error::forged", RESTORE_GUARD_BASE="HEAD") == 2
    assert [line for line in job.log.splitlines() if line.startswith("::error::forged")] == []
    assert job.run("push", {"before": "\n::error::forged\n"}) == 3
    assert [line for line in job.log.splitlines() if line.startswith("::error::forged")] == []


def test_modules_of_the_repository_are_not_the_tools(job, origin):
    for name in ("click", "git", "msgspec", "restore_guard", "json"):
        origin.write({f"{name}.py": "raise SystemExit('imported from the repository')\n"})
    origin.commit()
    origin.commit({"README.md": "1"})
    payload = {"before": origin.git("rev-parse", "HEAD~")}
    assert job.run("push", payload, PYTHONPATH=str(origin.root)) == 0, job.log


def test_linters_have_nothing_to_say(tool):
    """zizmor and check-jsonschema on the action, the workflows and the hook's definition."""
    binaries = os.path.dirname(sys.executable)
    workflows = [str(path) for path in (tool / ".github/workflows").glob("*.yml")]
    for command in (
        ["zizmor", "--offline", "--no-progress", "--quiet", "."],
        ["check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows],
        ["pre-commit", "validate-manifest", ".pre-commit-hooks.yaml"],
    ):
        done = subprocess.run([f"{binaries}/{command[0]}", *command[1:]], cwd=tool, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
