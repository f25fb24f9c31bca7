"""The lints: all of them for scripts/test, those that are named for a hook of .pre-commit-config.yaml.

with-python lints.py [NAME...]
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from environments import ROOT, SetupError, command, create, say


def main(names: Sequence[str]) -> int:
    try:
        tool = tool_environment()
    except SetupError as error:
        sys.exit(f"scripts/lints.py: {error}")
    known = lints()
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"scripts/lints.py: no lint is called {', '.join(unknown)}. There are {', '.join(known)}.")
    return bool(failing(tool, {name: known[name] for name in names or known}))


def tool_environment() -> Path:
    """The Python of the environment that holds restore-guard and the development tools.

    Raises:
        SetupError: it cannot be made.
    """
    return create("tool", ">=3.11", ["dev"], project=True)


def failing(tool: Path, chosen: Mapping[str, Sequence[str]]) -> list[str]:
    """Runs lints one after the other; returns the names of those that found something."""
    environ = {**os.environ, "PATH": os.pathsep.join([str(tool.parent), os.environ.get("PATH", os.defpath)])}
    failed = []
    for name, (program, *arguments) in chosen.items():
        say(" ".join([program, *arguments]))
        if subprocess.run([command(tool, program), *arguments], cwd=ROOT, env=environ).returncode:
            failed.append(name)
    return failed


def lints() -> dict[str, list[str]]:
    """{name: the program and its arguments}, for the files that are there."""
    workflows = _files(".github/workflows/*.y*ml")
    schema = ["check-jsonschema", "--quiet", "--builtin-schema"]
    return {
        "ruff": ["ruff", "check", "--quiet", "."],
        "mypy": ["mypy"],
        "lint-imports": ["lint-imports", "--no-cache", "--no-logo", "pyproject.toml"],
        "action": [*schema, "vendor.github-actions", "action.yml"],
        "workflows": [*schema, "vendor.github-workflows", *workflows],
        "issue-forms": [*schema, "vendor.github-issue-forms", *_files(".github/ISSUE_TEMPLATE/[!c]*.yml")],
        "dependabot": [*schema, "vendor.dependabot", ".github/dependabot.yml"],
        "zizmor": ["zizmor", "--offline", "--quiet", "action.yml", ".github/dependabot.yml", *workflows],
        "validate-manifest": ["pre-commit", "validate-manifest", ".pre-commit-hooks.yaml"],
        "validate-config": ["pre-commit", "validate-config", ".pre-commit-config.yaml"],
    }


def _files(pattern: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
