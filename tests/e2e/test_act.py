"""The action in a real workflow run: `act`, on this machine instead of a container."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Project, rename

from restore_guard.reports.markdown_report import HEADLINES

pytestmark = pytest.mark.tensorflow

ACT = Path(sys.executable).with_name("act")

WORKFLOW = """\
name: guard
on: [pull_request]
permissions:
  contents: read
jobs:
  guard:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: guard
        uses: restore-guard/restore-guard@v1
        with:
          python: {python}
      - if: always()
        env:
          VERDICT: ${{{{ steps.guard.outputs.verdict }}}}
          BREAKS: ${{{{ steps.guard.outputs.breaks }}}}
        run: |
          echo "verdict is <$VERDICT> with <$BREAKS> breaks"
          echo "status is <$(git status --porcelain)>"
"""


def test_pull_request_that_breaks_restores(make_repository, library, keras3, tool, tmp_path):
    origin = make_repository(name="origin", copy_of=library)
    # The configuration names a developer's environment, which no runner has: the input wins.
    origin.edit("pyproject.toml", f'python = "{keras3}"', 'python = ".venv/bin/python"')
    origin.commit({".github/workflows/guard.yml": WORKFLOW.format(python=keras3)})
    stale = origin.git("rev-parse", "HEAD")
    origin.git("checkout", "--quiet", "-b", "feature")
    line = rename(origin)
    head = origin.commit(message="rename")
    origin.git("checkout", "--quiet", "main")
    origin.commit({"README.md": "The base branch has moved on since the pull request was opened.\n"})
    origin.git("merge", "--quiet", "--no-ff", "--message", "merge", "feature")
    origin.git("update-ref", "refs/pull/1/merge", "HEAD")
    # What actions/checkout leaves behind: the merge commit alone, its parents in name only.
    origin.git("clone", "--quiet", "--depth=1", f"file://{origin.root}", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", tmp_path / "home-clone")
    assert clone.git("rev-list", "--count", "HEAD") == "1"
    event = {
        "action": "synchronize",
        "number": 1,
        "pull_request": {
            "number": 1,
            "head": {"ref": "feature", "sha": head},
            "base": {"ref": "main", "sha": stale},
        },
    }
    (tmp_path / "event.json").write_text(json.dumps(event))
    done = subprocess.run(
        [
            *(ACT, "pull_request", "--platform", "ubuntu-latest=-self-hosted", "--no-cache-server"),
            *("--eventpath", tmp_path / "event.json", "--action-cache-path", tmp_path / "act"),
            *("--local-repository", f"restore-guard/restore-guard@v1={tool}"),
        ],
        cwd=clone.root,
        # The user's own settings of pip: where packages come from.
        env=clone.environ | {"HOME": str(Path.home())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log = done.stdout
    assert done.returncode == 1, log
    assert "verdict is <breaks> with <1> breaks" in log
    assert "status is <>" in log
    # act shows a command that it knows by its message, and GitHub takes the same line.
    (annotation,) = [row for row in log.splitlines() if "variable-renamed" in row and "::error" in row]
    assert f"::error file=page.py,line={line},title=restore-guard%3A variable-renamed in subclassed::" in annotation
    assert "dense_1/kernel → denselayer1/kernel%0A" in annotation
    assert not [row for row in log.splitlines() if "::warning" in row]
    # act shows the summary of the step, then that of the action: the same one.
    summary, again = re.findall(r"Summary - (.*?)^\[guard/guard\]", log, re.DOTALL | re.MULTILINE)
    assert summary == again
    assert summary.startswith(f"## {HEADLINES['breaks']}")
    assert "<code>dense_1/kernel</code> | <code>denselayer1/kernel</code>" in summary
    assert f"page.py:{line}" in summary
    assert summary.count("variable-renamed") == 1, "written twice"
