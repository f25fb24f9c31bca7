"""Usage: the command as a person runs it. Nothing here starts a TensorFlow."""

import subprocess

import msgspec
import pytest
from conftest import SMALL, settings
from signatures import module

from restore_guard.promise import manifest
from restore_guard.promise.manifest import Manifest

MODEL = {"small": 'builder = "small:build"'}
PROMISED = msgspec.structs.replace(module(kernel=(4, 3), bias=(3,)), sources=("small.py",))
MANIFEST = manifest.dump(Manifest("small", ("tf-checkpoint",), PROMISED)).decode()


class Recorder:
    """An interpreter that only records that it was started."""

    def __init__(self, folder):
        self.path, self.record = folder / "recording-python", folder / "started"
        self.path.write_text(f"#!/bin/sh\necho started >>'{self.record}'\nexit 9\n")
        self.path.chmod(0o755)

    @property
    def starts(self):
        return len(self.record.read_text().splitlines()) if self.record.exists() else 0


@pytest.fixture
def recorder(tmp_path):
    return Recorder(tmp_path)


@pytest.fixture
def project(make_repository, recorder):
    # Of a model that no change touches, nothing but the manifest's sources is read.
    return make_repository(
        files={
            "small.py": SMALL,
            "README.md": "hello\n",
            "pyproject.toml": settings(recorder.path, MODEL),
            "restore-manifest/small.json": MANIFEST,
        }
    )


def test_commit_that_touches_no_model_starts_no_second_python(project, recorder):
    project.commit({"README.md": "hello again\n", "other.py": "import small\n"})
    run = project.check("--base", "HEAD~", "--head", "HEAD")
    assert run.code == 0
    assert run.report["verdict"] == "restores"
    assert run.model("small")["verdict"] == "unaffected"
    assert recorder.starts == 0
    assert project.run("check").stdout == "1 model, 0 variables, 0 restore paths: 1 unaffected\n"
    # The recorder does record: a commit that touches the model asks it what is installed, and builds once for both.
    project.commit({"small.py": SMALL + "\n"})
    run = project.check("--base", "HEAD~", "--head", "HEAD")
    assert run.code != 0
    assert [finding[0] for finding in run.findings("small")] == ["build-failed"]
    assert recorder.starts == 2


@pytest.mark.parametrize(
    ("environ", "arguments", "head"),
    [
        ({}, [], "worktree"),
        ({"PRE_COMMIT": "1"}, [], "index"),
        ({}, ["--staged"], "index"),
        ({"PRE_COMMIT": "1"}, ["--worktree"], "worktree"),
        ({"PRE_COMMIT": "1", "PRE_COMMIT_FROM_REF": "HEAD~", "PRE_COMMIT_TO_REF": "HEAD"}, [], "HEAD"),
        ({}, ["--head", "HEAD"], "HEAD"),
    ],
)
def test_what_is_compared(project, environ, arguments, head):
    first = project.git("rev-parse", "HEAD")
    second = project.commit({"README.md": "second\n"})
    report = project.check(*arguments, **environ).report
    assert report["head"] == (second if head == "HEAD" else head)
    assert report["base"] == (first if head == "HEAD" else second)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check", "--base", "v9"], 3, "v9: no such commit"),
        (["check", "--head", "v9"], 3, "v9: no such commit"),
        (["check", "--base", "--output=x"], 3, "--output=x: no such commit"),
        (["check", "nobody"], 2, "nobody is not a configured model; pyproject.toml configures small."),
        (["update", "nobody"], 2, "nobody is not a configured model"),
        (["update", "--accept-break", " "], 2, "needs a reason"),
        (["check", "--staged", "--worktree"], 2, "exclude each other"),
        (["check", "--format", "yaml"], 2, "'yaml' is not one of"),
        (["explain", "no-such-rule"], 2, "no rule 'no-such-rule'"),
        (["frobnicate"], 2, "No such command"),
        (["audit", "x", "--model", "small", "--builder", "small:build"], 2, "exclude each other"),
        (["audit", "x", "--kwargs", "{}"], 2, "--kwargs are those of --builder"),
        (["audit", "x", "--find", "--builder", "small:build"], 2, "--find builds nothing"),
        (["audit", "x", "--builder", "small"], 2, "--builder: expected a function as"),
        (["migrate", "x", "y", "--model", "small", "--builder", "small:build"], 2, "exclude each other"),
    ],
)
def test_wrong_usage(project, recorder, arguments, code, said):
    before = project.snapshot()
    run = project.run(*arguments)
    assert (run.code, run.stdout) == (code, "")
    assert said in run.stderr
    assert recorder.starts == 0
    assert project.snapshot() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "restore-guard is not configured: add a [tool.restore-guard.models.<name>] table"),
        ("[tool.ruff]\n", "restore-guard is not configured"),
        ("[tool.restore-guard]\ntimeout = 3\n", "pyproject.toml configures no model"),
        ("[tool.restore-guard.models.small]\nbuilder = 3\n", "pyproject.toml: tool.restore-guard.models.small.builder"),
        ("[tool.restore-guard\n", "pyproject.toml"),
    ],
)
@pytest.mark.parametrize("command", ["check", "update"])
def test_configuration_that_checks_nothing_is_not_green(make_repository, content, said, command):
    project = make_repository(files={"README.md": ""} | ({"pyproject.toml": content} if content else {}))
    run = project.run(command)
    assert (run.code, run.stdout) == (2, "")
    assert said in run.stderr


def test_python_that_does_not_exist(project):
    project.edit("pyproject.toml", "recording-python", "no-such-python")
    project.commit()
    project.edit("small.py", "Dense(3)", "Dense(4)")
    run = project.run("check")
    assert run.code == 2
    assert "no-such-python" in run.stderr
    assert "there is no such Python" in run.stderr


def test_outside_of_a_repository(project, tmp_path):
    (tmp_path / "plain").mkdir()
    project.root = tmp_path / "plain"
    run = project.run("check", GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert (run.code, run.stdout) == (2, "")
    assert "git finds no repository" in run.stderr


def test_a_report_goes_to_a_file_and_the_summary_to_the_terminal(project, tmp_path):
    run = project.run("check", "--format", "markdown", "--output", str(tmp_path / "report.md"))
    assert (run.code, run.stdout) == (0, "1 model, 0 variables, 0 restore paths: 1 unaffected\n")
    assert (tmp_path / "report.md").read_text().startswith("## ")


def test_a_report_that_cannot_be_written_does_not_change_the_verdict(project, tmp_path):
    run = project.run("check", "--output", str(tmp_path / "absent" / "report.txt"))
    assert (run.code, run.stdout) == (0, "1 model, 0 variables, 0 restore paths: 1 unaffected\n")
    assert "absent/report.txt cannot be written: No such file or directory" in run.stderr


def test_a_reader_that_goes_away_does_not_change_the_verdict(project):
    process = project.start("check", "--format", "json")
    process.stdout.close()
    assert process.wait() == 0
    with process.stderr:
        assert process.stderr.read() == ""


def test_rules_and_explain(project):
    listed = [line.split()[0] for line in project.run("rules").stdout.splitlines()]
    assert {"variable-renamed", "not-saved", "manifest-missing", "build-failed"} <= set(listed)
    for rule in listed:
        run = project.run("explain", rule)
        assert run.code == 0
        assert run.stdout.startswith(f"{rule} (")


def test_help_names_the_commands(project):
    run = project.run("--help")
    assert run.code == 0
    for command in ("check", "update", "rules", "explain"):
        assert command in run.stdout
    assert project.run("--version").stdout.startswith("restore-guard, version ")


def test_a_subfolder_of_the_repository_finds_the_configuration(project):
    (project.root / "deep/er").mkdir(parents=True)
    root, project.root = project.root, project.root / "deep/er"
    run = project.check()
    assert run.code == 0
    assert run.model("small")["verdict"] == "unaffected"
    assert subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True).stdout == b""
