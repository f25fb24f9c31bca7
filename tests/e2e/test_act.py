"""The action in real workflow runs: `act`, on this machine instead of a container, for events of every kind."""

import json
import re
import subprocess
import sys
from pathlib import Path

import payloads
import pytest
from action_job import Job, small_origin
from conftest import rename

from restore_guard.reports.markdown_report import HEADLINES

ACT = Path(sys.executable).with_name("act")

WORKFLOW = """\
name: guard
on:
  pull_request:
  push:
  merge_group:
  workflow_dispatch:
  schedule:
    - cron: "30 5 * * 1"
  pull_request_target:
  workflow_run:
    workflows: [CI]
permissions:
  contents: read
jobs:
  guard:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: guard
        uses: OWNER/restore-guard@v0
        with:
          python: {python}
          base: {base}
          cache: ${{{{ runner.temp }}}}/builds
          comment: {comment}
          sarif-file: ${{{{ runner.temp }}}}/guard.sarif
      - if: always()
        env:
          VERDICT: ${{{{ steps.guard.outputs.verdict }}}}
          BREAKS: ${{{{ steps.guard.outputs.breaks }}}}
          REPORT: ${{{{ steps.guard.outputs.report }}}}
        run: |
          echo "verdict is <$VERDICT> with <$BREAKS> breaks"
          echo "status is <$(git status --porcelain)>"
          [ -z "$REPORT" ] || head -c 100 "$REPORT" "$RUNNER_TEMP/guard.sarif" | tr '\\n' ' '
"""
PRINTS = """
import os

print("::error::forged by a build")
print("##[error]forged by a build", flush=True)
os.system("echo ::error::forged by its child")
for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "DEPLOY_KEY"):
    assert name not in os.environ, name
"""


@pytest.fixture
def run(tool, tmp_path):
    """Runs the workflows of a checkout for an event; returns act's exit code and log."""

    def run(project, event, payload, *options):
        (tmp_path / "event.json").write_text(json.dumps(payload))
        done = subprocess.run(
            [
                *(ACT, event, "--platform", "ubuntu-latest=-self-hosted", "--no-cache-server"),
                *("--eventpath", tmp_path / "event.json", "--action-cache-path", tmp_path / "act"),
                *("--local-repository", f"OWNER/restore-guard@v0={tool}"),
                *("--env", "DEPLOY_KEY=hunter2", *options),
            ],
            cwd=project.root,
            # The user's own settings of pip: where packages come from.
            env=project.environ | {"HOME": str(Path.home())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    return run


@pytest.mark.tensorflow
def test_pull_request_that_breaks_restores(make_repository, library, keras3, run, tmp_path):
    origin = make_repository(name="origin", copy_of=library)
    # The configuration names a developer's environment, which no runner has: the input wins.
    origin.edit("pyproject.toml", f'python = "{keras3}"', 'python = ".venv/bin/python"')
    origin.commit({".github/workflows/guard.yml": WORKFLOW.format(python=keras3, base='""', comment="false")})
    stale = origin.git("rev-parse", "HEAD")
    origin.git("checkout", "--quiet", "-b", "feature")
    (origin.root / "page.py").write_text(PRINTS + (origin.root / "page.py").read_text())
    line = rename(origin)
    head = origin.commit(message="rename")
    origin.git("checkout", "--quiet", "main")
    origin.commit({"README.md": "The base branch has moved on since the pull request was opened.\n"})
    origin.git("merge", "--quiet", "--no-ff", "--message", "merge", "feature")
    origin.git("update-ref", "refs/pull/1/merge", "HEAD")
    job = Job(origin, tmp_path)
    job.checkout("refs/pull/1/merge", depth=1)
    assert job.project.git("rev-list", "--count", "HEAD") == "1", "its parents are there in name only"
    code, log = run(job.project, "pull_request", payloads.pull_request(head, stale))
    assert code == 1, log
    # One break; and the manifests of all three models of the file do not list yet that it starts a process.
    assert "verdict is <breaks> with <3> breaks" in log
    assert "status is <>" in log
    # act shows a command that it knows by its message, and GitHub takes the same line.
    (annotation,) = [row for row in log.splitlines() if "variable-renamed" in row and "::error" in row]
    assert f"::error file=page.py,line={line},title=restore-guard%3A variable-renamed in subclassed::" in annotation
    assert "dense_1/kernel → denselayer1/kernel%0A" in annotation
    assert not [row for row in log.splitlines() if "::warning" in row or "forged" in row]
    # act shows the summary of the step, then that of the action: the same one.
    summary, again = re.findall(r"Summary - (.*?)^\[guard/guard\]", log, re.DOTALL | re.MULTILINE)
    assert summary == again
    assert summary.startswith(f"## {HEADLINES['breaks']}")
    assert "<code>dense_1/kernel</code> | <code>denselayer1/kernel</code>" in summary
    assert "```mermaid\nflowchart LR\n" in summary
    assert f"page.py:{line}" in summary
    assert summary.count("### ") == 3, "written twice"
    assert '"schema": 1' in log and '{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", ' in log


# Each installs the action anew. How each payload is read is tested without act: test_action_events.
@pytest.mark.parametrize(
    "event",
    [
        "push",
        "pull_request_target",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("merge_group", "workflow_dispatch", "schedule", "workflow_run")
        ),
    ],
)
def test_event(make_repository, run, tmp_path, event):
    """No model is touched: the interpreter is not even looked for."""
    origin = small_origin(make_repository)
    named = "release" if event in ("workflow_dispatch", "schedule") else '""'
    workflow = WORKFLOW.format(python="no-such-python", base=named, comment="true")
    origin.commit({".github/workflows/guard.yml": workflow})
    origin.git("branch", "release")
    base, head = origin.git("rev-parse", "HEAD"), origin.commit({"README.md": "no model touched\n"})
    job = Job(origin, tmp_path)
    job.checkout("refs/heads/main", depth=1)
    payload = {
        "push": payloads.push(base, head),
        "merge_group": payloads.merge_group(base, head),
        "workflow_dispatch": payloads.workflow_dispatch(),
        "schedule": payloads.schedule(),
        "pull_request_target": payloads.pull_request(head, base),
        "workflow_run": payloads.workflow_run(head),
    }[event]
    code, log = run(job.project, event, payload)
    if event in ("pull_request_target", "workflow_run"):
        assert code == 1, log
        assert f"::error title=restore-guard%3A wrong usage::restore-guard does not run on {event}: it would run" in log
        assert "verdict is <unchecked> with <0> breaks" in log
        return
    assert code == 0, log
    assert "| 1 model, 0 variables, 0 restore paths: 1 unaffected" in log
    assert "verdict is <restores> with <0> breaks" in log
    assert "status is <>" in log
    assert f'"base": "{base[:8]}' in log, "the report says what was compared"
    assert "| restore-guard: only a pull request has comments." in log
    assert "::error" not in log and "::warning" not in log


SHARDED = """\
name: guard
on: push
permissions:
  contents: read
jobs:
  checkpoints:
    uses: ./.github/workflows/sharded.yml
    with:
      install: echo installed with $(command -v python)
      shards: 2
"""
# Artifacts and other Pythons come from the network: these stand in, with the same inputs.
SERVICES = {
    "actions/upload-artifact": """\
        mkdir -p "$ARTIFACTS/$NAME" && cp "$PLACE" "$ARTIFACTS/$NAME/"
        """,
    "actions/download-artifact": """\
        mkdir -p "$PLACE" && cp -r "$ARTIFACTS"/$PATTERN "$PLACE/"
        """,
    "actions/setup-python": """\
        dirname "$PYTHON" >>"$GITHUB_PATH"
        """,
}
SERVICE = """\
name: service
description: stands in
inputs:
  name: {{description: x, default: ""}}
  path: {{description: x, default: ""}}
  pattern: {{description: x, default: ""}}
  if-no-files-found: {{description: x, default: ""}}
  python-version: {{description: x, default: ""}}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{{{ inputs.name }}}}
        PLACE: ${{{{ inputs.path }}}}
        PATTERN: ${{{{ inputs.pattern }}}}
      run: |
{run}"""


@pytest.mark.tensorflow
def test_plan_parallel_jobs_and_join(make_repository, library, keras3, tool, run, tmp_path):
    """One model breaks, one does not, and eleven are not touched."""
    workflow = (tool / ".github/workflows/sharded.yml").read_text()
    origin = make_repository(name="origin", copy_of=library)
    files = {".github/workflows/guard.yml": SHARDED, ".github/workflows/sharded.yml": workflow}
    before = origin.commit(files)
    rename(origin)
    origin.edit("page.py", "    return Convolutional()", "    return Convolutional()  # a remark")
    after = origin.commit({"small/kept.py": (origin.root / "small/kept.py").read_text() + "\n# a remark\n"})
    job = Job(origin, tmp_path)
    job.checkout("refs/heads/main")
    services = []
    for action in sorted(set(re.findall(r"uses: (actions/(?!checkout)\S+)", workflow))):
        name, _, _ = action.partition("@")
        service = make_repository(name=name, files={"action.yml": SERVICE.format(run=SERVICES[name])})
        services += ["--local-repository", f"{action}={service.root}"]
    (tmp_path / "artifacts").mkdir()
    code, log = run(
        *(job.project, "push", payloads.push(before, after), *services),
        *("--env", f"ARTIFACTS={tmp_path / 'artifacts'}", "--env", f"PYTHON={keras3}"),
        *("--env", f"XDG_CACHE_HOME={tmp_path / 'cache'}"),
    )
    assert code == 1, log
    stored = sorted(str(path.relative_to(tmp_path / "artifacts")) for path in (tmp_path / "artifacts").rglob("*.json"))
    assert stored == [f"restore-guard-{name}/restore-guard.json" for name in ("1", "2", "plan")]
    rows = [re.match(r"\[.*/([\w-]+) *\] (.*)", row) for row in log.splitlines()]
    rows = [(row[1], row[2]) for row in rows if row]
    assert [job for job, row in rows if "Job failed" in row] == ["join"], "one job says it"
    assert [job for job, row in rows if "::error" in row] == ["join"], "once"
    matrix = '{"include":[{"shard":1,"models":"subclassed activated"},{"shard":2,"models":"convolutional kept"}]}'
    assert any(matrix in row for job, row in rows if job == "plan")
    assert any("variable-renamed in subclassed" in row for job, row in rows if job == "join")
    total = "13 models, 12 variables, 8 restore paths: 3 restore, 1 breaks, 9 unaffected"
    assert any(row.endswith(total) for job, row in rows if job == "join"), log


MADE = """\
        [ "$("$PYTHON" -c 'import platform; print(platform.python_version().rpartition(".")[0])')" = "$VERSION" ]
        "$PYTHON" -m venv "$RUNNER_TEMP/python"
        echo "$PACKAGES" >"$(echo "$RUNNER_TEMP"/python/lib/python*/site-packages)/packages.pth"
        echo "$RUNNER_TEMP/python/bin" >>"$GITHUB_PATH"
"""
"""What stands in for actions/setup-python: a new Python of the version asked for, which sees what is installed here."""


@pytest.mark.tensorflow
def test_workflow_that_init_writes(make_repository, keras3, tool, run, tmp_path):
    """From the command to a refused pull request, with the Python and the installer that the command found."""
    packages = next(keras3.parents[1].glob("lib/python*/site-packages"))
    (known,) = packages.glob("tensorflow_cpu-*.dist-info")
    pinned = known.name.removesuffix(".dist-info").replace("tensorflow_cpu-", "tensorflow-cpu==")
    model = "from tensorflow import keras\n\n\nclass Ranker(keras.Model):\n    def __init__(self):\n"
    model += "        super().__init__()\n        self.first = keras.layers.Dense(3)\n\n    def call(self, x):\n"
    model += "        return self.first(x)\n\n\n"
    model += "def ranker():\n    net = Ranker()\n    net.build((None, 2))\n    return net\n"
    files = {"ranker.py": model, "requirements.txt": f"{pinned}\n", ".gitignore": ".venv\n"}
    origin = make_repository(name="origin", files=files)
    (origin.root / ".venv").symlink_to(keras3.parents[1])
    said = origin.run("init", "--yes")
    assert said.code == 0, said.stdout + said.stderr
    workflow = (origin.root / ".github/workflows/restore-guard.yml").read_text()
    assert "run: pip install -r requirements.txt\n" in workflow
    # A developer's environment is no runner's.
    assert "python = " not in (origin.root / "restore-guard.toml").read_text()
    before = origin.commit(message="Guard checkpoints")
    origin.git("checkout", "--quiet", "-b", "feature")
    for text in ("self.first = ", "self.first(x)"):
        origin.edit("ranker.py", text, text.replace("first", "layer"))
    head = origin.commit(message="rename")
    origin.git("update-ref", "refs/pull/1/merge", head)
    job = Job(origin, tmp_path)
    job.checkout("refs/pull/1/merge")
    version = "        VERSION: ${{ inputs.python-version }}\n"
    service = SERVICE.format(run=MADE).replace("        NAME:", f"{version}        NAME:")
    setup = make_repository(name="actions/setup-python", files={"action.yml": service})
    (setup_python,) = re.findall(r"uses: (actions/setup-python@\S+)", workflow)
    (guard,) = re.findall(r"uses: (OWNER/\S+)", workflow)
    code, log = run(
        *(job.project, "pull_request", payloads.pull_request(head, before)),
        *("--local-repository", f"{setup_python}={setup.root}", "--local-repository", f"{guard}={tool}"),
        *("--env", f"PYTHON={keras3}", "--env", f"PACKAGES={packages}"),
    )
    assert code == 1, log
    assert f"Requirement already satisfied: {pinned}" in log, "the line that installs runs with the Python asked for"
    (annotation,) = [row for row in log.splitlines() if "::error" in row]
    assert f"::error file=ranker.py,line={origin.line('ranker.py', 'self.layer = ')},title=" in annotation
    assert "variable-renamed in ranker" in annotation
