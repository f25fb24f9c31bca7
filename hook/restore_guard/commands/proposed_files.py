"""All files of a plan of `init`: the configuration, the builders, the hook and the workflow."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

from restore_guard import config
from restore_guard.change.repository import Repository
from restore_guard.commands import origin, setup_files, workflow_file
from restore_guard.commands.origin import Origin
from restore_guard.commands.setup_files import File
from restore_guard.commands.survey import Model, Survey
from restore_guard.discovery import builder_module
from restore_guard.errors import UsageError


def propose(
    repository: Repository,
    found: Survey,
    models: Sequence[Model],
    entries: Mapping[str, config.Model],
    source: Origin,
) -> tuple[tuple[File, ...], tuple[str, ...], str]:
    """(the files, what is left to do by hand, the command that installs the hook).

    Raises:
        UsageError: a file that only a person can add to.
    """
    root = repository.root
    builders = _builders(root, found.folder, models)
    settings = _settings(found, models)
    configured = setup_files.configuration(root, found.folder, settings, entries, source) if entries else None
    hook, about_hook = setup_files.hook(root, found.folder, source)
    workflow, about_workflow = workflow_file.workflow(root, found.folder, source, found.environment)
    files = tuple(file for file in (builders, configured, hook, workflow) if file is not None)
    by_hand = [advice for advice in (about_hook, about_workflow) if advice is not None]
    if not source.known and any(origin.PLACEHOLDER in file.added for file in files):
        by_hand.append(f"Replace {origin.OWNER} by the owner of the repository that you install restore-guard from.")
    return files, tuple(by_hand), setup_files.install_command(root, hook)


def write(root: Path, files: Sequence[File]) -> None:
    """Writes files.

    Raises:
        UsageError: one of them is no longer what it was when it was proposed; nothing is written then.
    """
    for file in files:
        if setup_files.text(root / file.path) != file.before:
            raise UsageError(f"{file.path} has changed meanwhile: run `restore-guard init` again.")
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content, encoding="utf-8", newline="")


def _settings(found: Survey, models: Sequence[Model]) -> dict[str, tuple[str, ...]]:
    """What is to be set for all models, and is not yet."""
    present = found.settings
    tried = {model.candidate.root for model in found.unusable if model.candidate.root}
    needed = {model.candidate.root for model in models}
    folders = tuple(folder for folder in found.pythonpath if folder in needed or folder not in tried)
    carry = tuple(dict.fromkeys([*(present.carry if present else ()), *found.carry]))
    settings = {}
    if folders != (present.pythonpath if present else ()):
        settings["pythonpath"] = folders
    if carry != (present.carry if present else ()):
        settings["carry"] = carry
    return settings


def _builders(root: Path, folder: str, models: Sequence[Model]) -> File | None:
    """The module of builders with those of these models; None where none needs one."""
    functions = [
        builder_module.function(model.candidate, model.attempt, builder_module.function_name(model.name))
        for model in models
        if model.attempt.body
    ]
    if not functions:
        return None
    path = posixpath.join(folder, builder_module.FILE)
    before = setup_files.text(root / path)
    content = builder_module.module(functions, before)
    return File(path, before, content, content if before is None else "\n\n".join(functions))
