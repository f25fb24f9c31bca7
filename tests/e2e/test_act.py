"""The action in a real workflow run: `act` on the host, with event files as GitHub documents them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Project, rename

pytestmark = pytest.mark.tensorflow

ACT = Path(sys.executable).with_name("act")

WORKFLOW = """\
name: guard
on: [pull_request, push, pull_request_target]
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
          echo "summary is <$(base64 -w0 <"$GITHUB_STEP_SUMMARY")>"
"""


class Workflow:
    """A pull request's merge commit in a clone of depth 1, as actions/checkout leaves it."""

    def __init__(self, folder, library, tool, python):
        self.tool = tool
        self.project = Project(folder / "origin", folder / "home", copy_of=library)
