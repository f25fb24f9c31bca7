"""The files that `init` proposes: what is there stays as it is, and what is new goes beside it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore_guard import config
from restore_guard.commands.origin import OWNER, PLACEHOLDER, Origin
from restore_guard.config import OWN_FILE, SHARED_FILE
from restore_guard.errors import UsageError

HOOKS = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/restore-guard.yml"
STAGES = ("pre-commit", "pre-merge-commit", "pre-push")

# What a workflow runs to install the project, by the file that asks for it; the first that is there.
MANAGERS = {
    "uv.lock": "pip install uv && uv sync --locked",
    "poetry.lock": "pip install poetry && poetry install",
    "pdm.lock": "pip install pdm && pdm sync",
    "Pipfile.lock": "pip install pipenv && pipenv sync",
}
"""Those that make an environment, which is found by the same file."""
INTO_PYTHON = {"requirements.txt": "pip install -r requirements.txt", "pyproject.toml": "pip install ."}

WORKFLOW_STEPS = """\
name: Checkpoints
on: pull_request
permissions:
  contents: read
jobs:
  restore-guard:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      - uses: actions/setup-python@v6
        with:
          python-version: "3.12"
      - run: {install}
"""


@dataclass(frozen=True)
class File:
    """A file to write: `added` is what is new in `content`; `before` is None where there is no such file.

    Attributes:
        path: relative to the root of the repository.
    """

    path: str
    before: str | None
    content: str
    added: str


Proposed = tuple[File | None, str | None]
"""A file to write, and what is left to do by hand."""


def configuration(
    root: Path, folder: str, pythonpath: Sequence[str], models: Mapping[str, config.Model], source: Origin
) -> File:
    """The configuration of the project in `folder` with these models beside those that it has.

    Raises:
        UsageError: only a person can add to it.
    """
    own = (root / folder / OWN_FILE).is_file() or not (root / folder / SHARED_FILE).is_file()
    prefix = "" if own else "tool.restore-guard."
    lines = []
    if own and source.schema and not (root / folder / OWN_FILE).is_file():
        lines += [f"#:schema {source.schema}", ""]  # for editors that know taplo's directive
    if pythonpath:
        lines += ([] if own else ["[tool.restore-guard]"]) + [f"pythonpath = {json.dumps(pythonpath)}", ""]
    for name, model in models.items():
        lines += [f"[{prefix}models.{_key(name)}]", f"builder = {json.dumps(model.builder)}"]
        if model.inputs:
            shapes = ", ".join(f"{{ shape = {json.dumps(item.shape)} }}" for item in model.inputs)
            lines.append(f"inputs = [{shapes}]")
        lines.append("")
    added = "\n".join(lines)
    file = _appended(root, f"{folder}/" * bool(folder) + (OWN_FILE if own else SHARED_FILE), added)
    if not _keeps(file, own, models):
        raise UsageError(
            f"{file.path} has a form that no program can add to safely. Add this yourself, then run "
            f"`restore-guard update`:\n{added}"
        )
    return file


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _appended(root: Path, path: str, added: str) -> File:
    before = text(root / path)
    newline = "\r\n" if before and "\r\n" in before else "\n"
    head = before or ""
    if head.strip():
        head = head.rstrip("\r\n") + newline + newline
    return File(path, before, head + added.rstrip("\n").replace("\n", newline) + newline, added)


def _keeps(file: File, own: bool, models: Mapping[str, config.Model]) -> bool:
    """Whether the file still says all that it said, and these models beside it."""
    try:
        before, after = tomllib.loads(file.before or ""), tomllib.loads(file.content)
    except tomllib.TOMLDecodeError:
        return False
    ours_before, ours_after = _taken(before, own), _taken(after, own)
    expected = {name: model.builder for name, model in models.items()}
    known = ours_before.get("models", {})
    new = {name: table.get("builder") for name, table in ours_after.get("models", {}).items() if name not in known}
    kept = {name: table for name, table in ours_after.get("models", {}).items() if name in known}
    others = {key: value for key, value in ours_after.items() if key not in ("models", "pythonpath")}
    rest = {key: value for key, value in ours_before.items() if key not in ("models", "pythonpath")}
    return (before, rest, known) == (after, others, kept) and new == expected


def _taken(document: dict[str, Any], own: bool) -> dict[str, Any]:
    """Our table, taken out of the document."""
    ours: dict[str, Any]
    if own:
        ours = dict(document)
        document.clear()
        return ours
    ours = document.get("tool", {}).pop("restore-guard", {})
    if not document.get("tool", True):
        document.pop("tool")
    return ours


def hook(root: Path, folder: str, source: Origin) -> Proposed:
    """The hook beside those that are configured."""
    entry = [f"- repo: {source.url}", f"  rev: {source.revision}", "  hooks:", "    - id: restore-guard"]
    if folder:
        entry.append(f"      args: [--project, {json.dumps(folder)}]")
    before = text(root / HOOKS)
    if before is None:
        content = f"default_install_hook_types: [{', '.join(STAGES)}]\nrepos:\n"
        content += "".join(f"  {line}\n" for line in entry)
        return File(HOOKS, None, content, content), None
    if re.search(r"^\s*(- )?id:\s*['\"]?restore-guard\b", before, re.MULTILINE) and not folder:
        return None, None
    place = _end_of_repos(before)
    if place is None:
        shown = "\n".join(entry)
        return None, f"Add to the `repos` of {HOOKS}, which has a form that no program can add to safely:\n{shown}"
    end, indent = place
    newline = "\r\n" if "\r\n" in before else "\n"
    added = "".join(f"{indent}{line}\n" for line in entry)
    head, tail = before[:end], before[end:]
    if not head.endswith("\n"):
        head += newline
    return File(HOOKS, before, head + added.replace("\n", newline) + tail, added), None


def _end_of_repos(content: str) -> tuple[int, str] | None:
    """Where a further item of the list `repos` goes, and its indentation; None where it is not a block list."""
    start = re.search(r"^repos:[ \t]*(#.*)?\r?\n", content, re.MULTILINE)
    if start is None:
        return None
    item = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n)*([ \t]*)- ").match(content, start.end())
    if item is None:
        return None
    # The next key of the file: the first text at the margin that is neither a comment nor an item.
    after = re.compile(r"^[^\s#-]", re.MULTILINE).search(content, item.end())
    end = after.start() if after else len(content)
    # Before blank lines and comments, which belong to what follows.
    last = re.search(r"(?:\r?\n[ \t]*(?:#[^\n]*)?)*\Z", content[:end])
    assert last is not None, "the pattern matches nothing at all at the end"
    line = re.compile(r"\r?\n").match(content, last.start())
    return line.end() if line else last.start(), item[1]


def install_command(root: Path, proposed: File | None) -> str:
    """What installs the hook for all its stages; the file says them itself where it is ours."""
    content = text(root / HOOKS) if proposed is None or proposed.before is not None else proposed.content
    named = re.search(r"^default_install_hook_types:\s*\[(.*?)\]", content or "", re.MULTILINE | re.DOTALL)
    if named is not None and set(STAGES) <= set(re.findall(r"[\w-]+", named[1])):
        return "pre-commit install"
    return "pre-commit install" + "".join(f" --hook-type {stage}" for stage in STAGES)


def workflow(root: Path, folder: str, source: Origin) -> Proposed:
    """A workflow that checks pull requests, where there is none of its name."""
    if (root / WORKFLOW).exists():
        return None, None
    file = next((name for name in [*MANAGERS, *INTO_PYTHON] if (root / folder / name).is_file()), None)
    content = WORKFLOW_STEPS.format(install={**MANAGERS, **INTO_PYTHON}.get(file or "", "pip install tensorflow"))
    if folder:
        content += f"        working-directory: {json.dumps(folder)}\n"
    content += f"      - uses: {source.action or f'{PLACEHOLDER}@{source.revision}'}\n"
    inputs = {"working-directory": json.dumps(folder)} if folder else {}
    if file not in MANAGERS:
        inputs["python"] = "python"
    if inputs:
        content += "        with:\n" + "".join(f"          {name}: {value}\n" for name, value in inputs.items())
    advice = None if source.action else f"Replace {OWNER} in {WORKFLOW}: an action is fetched from GitHub."
    return File(WORKFLOW, None, content, content), advice


def text(path: Path) -> str | None:
    """As it is on disk, its line ends too; None where there is no such file."""
    return path.read_bytes().decode() if path.exists() else None
