"""The files that `init` proposes: what is there stays as it is, and what is new goes beside it."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from restore_guard import config
from restore_guard.commands.origin import Origin
from restore_guard.config import OWN_FILE, SHARED_FILE
from restore_guard.errors import UsageError

HOOKS = ".pre-commit-config.yaml"
STAGES = ("pre-commit", "pre-merge-commit", "pre-push")


class File(msgspec.Struct, frozen=True):
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
    root: Path,
    folder: str,
    settings: Mapping[str, Sequence[str]],
    models: Mapping[str, config.Model],
    source: Origin,
) -> File:
    """The configuration of the project in `folder` with these models beside those that it has.

    Args:
        settings: what is set for all models, such as pythonpath.

    Raises:
        UsageError: only a person can add to it.
    """
    own = (root / folder / OWN_FILE).is_file() or not (root / folder / SHARED_FILE).is_file()
    path = f"{folder}/" * bool(folder) + (OWN_FILE if own else SHARED_FILE)
    before = text(root / path)
    if before is not None and _ours(before, own):
        head: str | None = _with_settings(before, settings, own)
        lines: list[str] = []
    else:
        head, lines = before, _head(own, before, settings, source)
    prefix = "" if own else "tool.restore-guard."
    for name, model in models.items():
        lines.append(f"[{prefix}models.{_key(name)}]")
        lines += [f"{key} = {_toml(value)}" for key, value in table_of(model).items()] + [""]
    changed = [f"{key} = {_toml(list(value))}" for key, value in settings.items() if head != before]
    added = "\n".join(lines)
    file = replace(_appended(head, path, added), before=before, added="\n".join([*changed, added]))
    if not _keeps(file, own, models, settings):
        raise UsageError(
            f"{file.path} has a form that no program can add to safely. Add this yourself, then run "
            f"`restore-guard update`:\n{file.added}"
        )
    return file


def table_of(model: config.Model) -> dict[str, Any]:
    """The entry of a model, with what is not as it would be anyway."""
    inputs = [
        {"shape": [-1 if size is None else size for size in item.shape]}
        | ({"dtype": item.dtype} if item.dtype != "float32" else {})
        for item in model.inputs
    ]
    found = {"builder": model.builder, "kwargs": dict(model.kwargs), "inputs": inputs}
    load = msgspec.json.decode(msgspec.json.encode(model.load))  # without what is the default, and with lists
    found |= {"restores": list(model.restores or ()), "load": load}
    return {key: value for key, value in found.items() if value}


def _head(own: bool, before: str | None, settings: Mapping[str, Sequence[str]], source: Origin) -> list[str]:
    lines = []
    if own and source.schema and before is None:
        lines += [f"#:schema {source.schema}", ""]  # for editors that know taplo's directive
    if settings:
        lines += [] if own else ["[tool.restore-guard]"]
        lines += [f"{key} = {_toml(list(value))}" for key, value in settings.items()] + [""]
    return lines


def _ours(before: str, own: bool) -> bool:
    """Whether the file configures restore-guard already."""
    try:
        return own or bool(tomllib.loads(before).get("tool", {}).get("restore-guard"))
    except (tomllib.TOMLDecodeError, AttributeError):
        return False


def _with_settings(before: str, settings: Mapping[str, Sequence[str]], own: bool) -> str:
    """The text with other settings for all models, and all else as it is."""
    if not settings:
        return before
    import tomlkit

    document = tomlkit.parse(before)
    table: Any = document if own else document["tool"]["restore-guard"]
    for key, value in settings.items():
        table[key] = list(value)
    return tomlkit.dumps(document)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan" if math.isnan(value) else repr(value))
    return json.dumps(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _appended(before: str | None, path: str, added: str) -> File:
    newline = "\r\n" if before and "\r\n" in before else "\n"
    head = before or ""
    if head.strip() and added:
        head = head.rstrip("\r\n") + newline + newline
    return File(path, before, head + added.rstrip("\n").replace("\n", newline) + (newline if added else ""), added)


def _keeps(file: File, own: bool, models: Mapping[str, config.Model], settings: Mapping[str, Sequence[str]]) -> bool:
    """Whether the file still says all that it said, and these models beside it."""
    try:
        before, after = tomllib.loads(file.before or ""), tomllib.loads(file.content)
    except tomllib.TOMLDecodeError:
        return False
    ours_before, ours_after = _taken(before, own), _taken(after, own)
    expected = {name: table_of(model) for name, model in models.items()}
    known = ours_before.get("models", {})
    new = {name: table for name, table in ours_after.get("models", {}).items() if name not in known}
    kept = {name: table for name, table in ours_after.get("models", {}).items() if name in known}
    new_keys = ("models", *settings)
    others = {key: value for key, value in ours_after.items() if key not in new_keys}
    rest = {key: value for key, value in ours_before.items() if key not in new_keys}
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


def text(path: Path) -> str | None:
    """As it is on disk, its line ends too; None where there is no such file."""
    return path.read_bytes().decode() if path.exists() else None
