"""The action's second step, run without a workflow."""

import json
import subprocess
import sys
from pathlib import Path

from conftest import SMALL, Project, settings


def small_origin(make_repository):
    """A repository of a model whose manifest nobody reads further than its sources.

    The interpreter does not exist: a check that finds the model touched ends with exit 2 and says so.
    """
    project = make_repository(
        name="origin",
        files={
            "small.py": SMALL,
            "pyproject.toml": settings("no-such-python", {"small": 'builder = "small:build"'}),
            "restore-manifest/small.json": '{"schema": 1, "model": "small", "sources": ["small.py"]}\n',
            "README.md": "",
        },
    )
    project.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return project


class Job:
    """A checkout, and the action's second step run in it."""

    def __init__(self, project, folder):
        self.project, self.folder = project, folder

    def run(self, event, payload, **environ):
        (self.folder / "event.json").write_text(payload if isinstance(payload, str) else json.dumps(payload))
        self.output, self.summary = self.folder / "output", self.folder / "summary"
        self.output.write_text("before=1\n")
        self.summary.unlink(missing_ok=True)
        names = ("BASE", "HEAD", "MODELS", "PYTHON", "CONFIG", "SARIF_FILE", "CACHE", "SHARDS", "RESULTS")
        names += ("COMMENT", "ACCEPT_LABEL")
        done = subprocess.run(
            [sys.executable, "-I", "-m", "restore_guard.actions"],
            cwd=self.project.root,
            env=self.project.environ
            | {
                "GITHUB_EVENT_NAME": event,
                "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
                "GITHUB_OUTPUT": str(self.output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "RUNNER_TEMP": str(self.folder),
            }
            | {f"RESTORE_GUARD_{name}": "" for name in names}
            | {"RESTORE_GUARD_WORKING_DIRECTORY": ".", "RESTORE_GUARD_WITNESS": "auto"}
            | {"RESTORE_GUARD_FAIL_ON": "error", "RESTORE_GUARD_ANNOTATIONS": "true", "RESTORE_GUARD_SUMMARY": "true"}
            | environ,
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr, done.stderr
        self.log, self.errors = done.stdout, done.stderr
        return done.returncode

    @property
    def outputs(self):
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())

    @property
    def report(self):
        return json.loads(Path(self.outputs["report"]).read_text())

    def compares(self, event, payload, **environ):
        """(base, head) of a check that touches no model."""
        assert self.run(event, payload, **environ) == 0, self.log
        return self.report["base"], self.report["head"]

    def checkout(self, ref, depth=None, name="clone"):
        """Goes on in what actions/checkout makes: one ref alone at a depth, or with fetch-depth: 0 all branches."""
        origin, self.project = self.project, Project(self.folder / name, self.folder / f"home-{name}")
        git = self.project.git
        git("remote", "add", "origin", f"file://{origin.root}")
        limits = [f"--depth={depth}", "origin"] if depth else ["origin", "+refs/heads/*:refs/remotes/origin/*"]
        git("fetch", "--quiet", "--no-tags", *limits, f"+{ref}:refs/remotes/pull/1/merge")
        git("checkout", "--quiet", "--force", "refs/remotes/pull/1/merge")
