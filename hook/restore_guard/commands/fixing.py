"""`check --fix`: what a check can put right itself, it writes into the work tree, and fails once, as formatters do.

A break is never absorbed: only the manifest of a model is written of which nothing else is wrong, and `update` judges
it once more.
"""

from __future__ import annotations

import posixpath

import msgspec

from restore_guard.change import sides
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands.renewing import Updated
from restore_guard.commands.update import update
from restore_guard.errors import UsageError
from restore_guard.judging.repairs import Repair
from restore_guard.promise.files import write
from restore_guard.promise.project import Project, load
from restore_guard.result import ModelResult, Result


def with_fixes(run: Run, compared: Sides, result: Result) -> Result:
    """The result, with a note on everything that was written.

    Raises:
        UsageError: what was checked is a commit, which no file on disk can mend.
    """
    if compared.head.kind == "commit":
        if sides.hook_refs(run.environ):
            return result  # a push: what was committed is beyond mending
        raise UsageError("--fix writes files for what is staged or on disk: leave --head away.")
    mendable = [model.name for model in result.models if is_mendable(model)]
    if not mendable:
        return result
    project = load(run.repository, compared.head)
    edited = [name for name in mendable if _is_edited(run, project, name)]
    chosen = [name for name in mendable if name not in edited]
    done = update(run, names=chosen, reason=None, side=compared.head) if chosen else []
    files = {name: posixpath.join(run.repository.project, project.manifest_file(name)) for name in mendable}
    notes = [f"{files[name]} has other changes that are not staged: it was not written." for name in edited]
    notes += [_told(item, files[item.name]) for item in done]
    return msgspec.structs.replace(result, notes=(*result.notes, *notes))


def apply(run: Run, compared: Sides, result: Result) -> list[str]:
    """Writes the suggested repairs of what is staged into the work tree; returns what became of each file."""
    if compared.head.kind == "commit":
        return []
    found = [finding.suggestion for model in result.models for finding in model.findings if finding.suggestion]
    repository, done = run.repository, []
    for file in dict.fromkeys(suggestion.file for suggestion in found):
        mine = {suggestion.first: suggestion for suggestion in found if suggestion.file == file}
        sides = repository.worktree(), repository.index(), compared.head
        on_disk, *others = (repository.read(side, file) for side in sides)
        if on_disk is None or any(content != on_disk for content in others):
            done.append(f"{file} has changes that are not staged: it was left as it is.")
            continue
        text, below = on_disk.decode(), len(on_disk) + 1
        for first in sorted(mine, reverse=True):
            repair = mine[first]
            if repair.last < below:  # of two that overlap the next run shows what is left
                lines = tuple(repair.replacement.splitlines())
                text, below = Repair(file, first, repair.last, lines).apply(text), first
        write(repository.root / file, text.encode())
        done.append(f"{file} was repaired as shown: look at it, git add it, and commit again.")
    return done


def is_mendable(model: ModelResult) -> bool:
    """Whether only the manifest is wrong: nothing that was promised breaks, whatever its level."""
    broken = any(finding.restores and finding.status in ("new", "ignored") for finding in model.findings)
    return model.only_manifest and not broken


def _is_edited(run: Run, project: Project, name: str) -> bool:
    """Whether a manifest on disk is another than the one that was checked."""
    file = project.manifest_file(name)
    on_disk = run.repository.reader(run.repository.worktree())(file)
    return on_disk is not None and on_disk != project.read(file)


def _told(item: Updated, file: str) -> str:
    if item.state == "written":
        return f"{file} was written: look at it, git add it, and commit again."
    return f"{item.name}: its manifest was not written: {item.message}."
