"""Lints, then pytest with a real TensorFlow of each generation; see scripts/test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from environments import ROOT, SetupError, command, create, index_settings, say

# TensorFlow 2.15 is the last with Keras 2, and Python 3.11 the newest that it knows.
GENERATIONS = {"keras3": ">=3.10,<3.14", "keras2": ">=3.9,<3.12", "tensorflow218": ">=3.9,<3.13"}
ENVIRONMENTS = GENERATIONS | {"managers": ">=3.11"}


def main(arguments: Sequence[str]) -> int:
    failures = []
    try:
        tool = create("tool", ">=3.11", ["dev"], project=True)
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
    for lint in _lints(tool):
        say(" ".join([Path(lint[0]).name, *lint[1:]]))
        if subprocess.run(lint, cwd=ROOT, env=environ).returncode:
            failures.append(f"{Path(lint[0]).name} found something")
    say(" ".join(["pytest", *arguments]))
    tests = subprocess.run([str(tool), "-m", "pytest", *arguments], cwd=ROOT, env=environ).returncode
    for failure in failures:
        print(f"scripts/test: {failure}", file=sys.stderr)
    return tests or bool(failures)


def _lints(tool: Path) -> Iterator[list[str]]:
    yield [command(tool, "ruff"), "check", "--quiet", "."]
    yield [command(tool, "lint-imports"), "--no-cache", "--no-logo", "pyproject.toml"]
    workflows = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(".github/workflows/*.y*ml"))
    action = [name for name in ("action.yml",) if (ROOT / name).is_file()]
    for schema, files in (("vendor.github-actions", action), ("vendor.github-workflows", workflows)):
        if files:
            yield [command(tool, "check-jsonschema"), "--quiet", "--builtin-schema", schema, *files]
    if action or workflows:
        yield [command(tool, "zizmor"), "--offline", "--quiet", *action, *workflows]
    if (ROOT / ".pre-commit-hooks.yaml").is_file():
        yield [command(tool, "pre-commit"), "validate-manifest", ".pre-commit-hooks.yaml"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
