"""Lints, then pytest with a real TensorFlow of each generation; see scripts/test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import lints
from environments import ROOT, SetupError, create, index_settings, say

# TensorFlow 2.15 is the last with Keras 2, and Python 3.11 the newest that it knows.
GENERATIONS = {"keras3": ">=3.10,<3.14", "keras2": ">=3.9,<3.12", "tensorflow218": ">=3.9,<3.13"}
ENVIRONMENTS = GENERATIONS | {"managers": ">=3.11"}

# The tests of a file share what is made for them.
WORKERS = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
COVERAGE = ["--cov", "restore_guard", "--cov-report", ""]


def main(arguments: Sequence[str]) -> int:
    failures = []
    try:
        tool = lints.tool_environment()
    except SetupError as error:
        sys.exit(f"scripts/test: {error}")
    environ = {**os.environ, **index_settings()}  # prek installs with uv
    environ["PATH"] = os.pathsep.join([str(tool.parent), environ.get("PATH", os.defpath)])
    for name, versions in ENVIRONMENTS.items():
        variable = f"RESTORE_GUARD_TEST_{name.upper()}"
        environ.pop(variable, None)
        try:
            environ[variable] = str(create(name, versions, [name]))
        except SetupError as error:
            say(f"environment {name}: {error}")
            failures.append(f"the tests that need {name} did not run: {error}")
    failures += [f"{name} found something" for name in lints.failing(tool, lints.lints())]
    command = ["pytest", *WORKERS, *COVERAGE, *arguments]
    say(" ".join(command))
    tests = subprocess.run([str(tool), "-m", *command], cwd=ROOT, env=environ).returncode
    report = [str(tool), "-m", "coverage", "report", "--format", "total"]
    total = subprocess.run(report, cwd=ROOT, capture_output=True, text=True)
    say(f"coverage: {total.stdout.strip() or '?'} % of the package without the probe, by what pytest itself ran")
    for failure in failures:
        print(f"scripts/test: {failure}", file=sys.stderr)
    return tests or bool(failures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
