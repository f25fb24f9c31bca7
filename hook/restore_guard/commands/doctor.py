"""Examines a set-up from git to the hook, and sees with a planted break that the gate goes red. Changes nothing."""

from __future__ import annotations

import datetime
import os
import posixpath
import re
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from restore_guard import folders
from restore_guard.build import Build
from restore_guard.building import isolation, probing, pythons, warm
from restore_guard.building.apart import Apart
from restore_guard.building.workshop import model_job
from restore_guard.change import affected, environment_files, load_habits, planted
from restore_guard.change.carried import carried
from restore_guard.change.diffs import Diff
from restore_guard.change.load_habits import Habit
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands import check, suspects
from restore_guard.commands.setup_files import HOOKS, STAGES
from restore_guard.config import Load, without_expired
from restore_guard.discovery.modules import OUTSIDE
from restore_guard.environments import interpreters
from restore_guard.environments.interpreters import Interpreter
from restore_guard.errors import RestoreGuardError, UsageError
from restore_guard.judging import judge
from restore_guard.judging.case import Case
from restore_guard.judging.comparison import compare
from restore_guard.judging.proposal import propose
from restore_guard.promise import manifest
from restore_guard.promise.manifest import Manifest
from restore_guard.promise.project import Project, Projects, load
from restore_guard.result import ModelResult
from restore_guard.signature import Signature

RUNNERS = re.compile(r"pre-commit|pre_commit|prek|restore-guard")
"""What the file of a git hook that runs this one speaks of."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; `advice` is what to do about it."""

    subject: str
    state: Literal["ok", "problem", "unchecked"]
    said: str
    advice: str = ""


def exit_code(found: list[Finding]) -> int:
    """0 all is well, 1 a problem, 3 something could not be looked at."""
    states = {finding.state for finding in found}
    return 1 if "problem" in states else 3 if "unchecked" in states else 0


def examine(run: Run) -> Iterator[Finding]:
    """Yields findings as they are made; stops where nothing further can be examined."""
    repository = run.repository
    yield Finding("git", "ok", f"{repository.version()}; the project is {run.folder}")
    yield _hook(repository)
    try:
        project = load(repository, repository.worktree())
    except UsageError as error:
        yield Finding("configuration", "problem", str(error), "restore-guard init proposes one.")
        return
    models = ", ".join(project.config.models)
    yield Finding("configuration", "ok", f"{project.file} names {len(project.config.models)}: {models}")
    try:
        if project.config.environment == "per-commit":
            found = pythons.of_side(run, project.config, project.side)
            python = Interpreter(found, 'environment = "per-commit" makes it from the lock file')
        else:
            python = interpreters.choose(project.config.python, run.folder, run.environ)
    except RestoreGuardError as error:
        yield Finding("python", "problem", str(error))
        return
    yield Finding("python", "ok", f"{python.path}, for {python.reason}")
    yield _warm(run, python)
    yield from _load_calls(run, project)
    yield from _models(run, project, python)


def _load_calls(run: Run, project: Project) -> Iterator[Finding]:
    """How the repository's own code loads the checkpoints of each model, held against what is promised."""
    builders = {name: model.builder.partition(":")[0] for name, model in project.config.models.items()}
    files = run.repository.project_files(project.side)
    wanted = [file for file in files if file.endswith(".py") and not OUTSIDE.search(file)]
    found = load_habits.habits(project.read, wanted, builders, project.config.roots)
    promised = suspects.promised_paths(Projects(None, project), list(builders))
    for name, habit in found.items():
        if habit.calls:
            yield _loaded(name, habit, promised[name], project.config.models[name].load)


def _loaded(name: str, habit: Habit, promised: Collection[str], configured: Load) -> Finding:
    subject = f"load calls of {name}"
    unclear = [f"{call} ({', '.join(call.unknown) or call.why})" for call in habit.unclear]
    left = f"; what they do not tell: {'; '.join(unclear[:4])}" if unclear else ""
    left += f" and {len(unclear) - 4} more" if len(unclear) > 4 else ""
    asked = f"In its table: {', '.join(habit.settings(promised))}"
    for path in habit.restores:
        if promised and path not in promised and (loading := habit.of(path, "loads")):
            return Finding(subject, "unchecked", f"{loading[0]} loads by {path}, which is not promised{left}", asked)
    objects = [item for item in habit.load.custom_objects if item not in configured.custom_objects]
    is_looser = habit.load.skip_mismatch and not configured.skip_mismatch
    is_bare = configured.compile and not habit.load.compile
    is_whole = habit.load.whole_model and not configured.whole_model
    if objects or is_looser or is_bare or is_whole:
        said = f"the code does not load as the configuration says{left}"
        return Finding(subject, "unchecked", said, asked)
    return Finding(subject, "ok", f"{len(habit.calls)}, by {', '.join(habit.restores) or 'no known path'}{left}")


def _warm(run: Run, python: Interpreter) -> Finding:
    """Whether a Python that has imported TensorFlow already waits for checks."""
    if warm.in_ci(run.environ):
        return Finding("warm", "ok", "none is kept or used in CI")
    one = warm.of(python.path, isolation.environment(run.environ))
    if one is None:
        return Finding("warm", "ok", "no Python is kept warm; `restore-guard warm` does that, and checks are faster")
    if one.changed is not None:
        return Finding("warm", "ok", f"process {one.pid} is out of date, it imports anew: {one.changed} has changed")
    said = f"process {one.pid} has imported TensorFlow {one.versions.get('tensorflow')}"
    return Finding("warm", "ok", f"{said} and ends after {one.left / 60:.0f} minutes without a check")


def _models(run: Run, project: Project, python: Interpreter) -> Iterator[Finding]:
    paths = suspects.promised_paths(Projects(None, project), list(project.config.models))
    jobs = [replace(model_job(project.config, name, run.folder), restores=paths[name]) for name in paths]
    try:
        with folders.temporary() as folder, probing.Probe(python.path, run.progress) as probe:
            carry = partial(carried, run.repository, project.config.carry)
            done: dict[str, Any] = Apart(run.repository, lambda: folder, carry).again(jobs, probe.run(jobs), probe.run)
    except RestoreGuardError as error:
        yield Finding("tensorflow", "problem", str(error))
        return
    built = {name: done[name] for name in project.config.models}
    versions: dict[str, str] = next((build.signature.framework for build in built.values() if build.signature), {})
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    yield Finding("tensorflow", "ok" if said else "unchecked", said or "no model was built that could tell its version")
    judged = {name: _judge(project, name, build) for name, build in built.items()}
    for name, build in built.items():
        yield _built(name, build)
        yield _promised(project, name, judged[name])
    good = [name for name, model in judged.items() if model.manifest == "current" and built[name].signature]
    if not good:
        yield Finding("gate", "unchecked", "no model builds and has a current manifest, so no break was planted")
        return
    name = min(good, key=lambda name: len(built[name].signature.variables))
    pinned = replace(run, environ={**run.environ, "RESTORE_GUARD_PYTHON": str(python.path)})
    yield _planted(pinned, project, name, built[name].signature.sources)
    yield from _carried(name, built[name].signature)


def _judge(project: Project, name: str, build: Build) -> ModelResult:
    """What a check of the files on disk says where there is nothing before them."""
    module = project.config.models[name].builder.partition(":")[0]
    covered = affected.closure(project.read, module, project.config.roots).paths
    file, promise = project.manifest_file(name), project.manifest(name)
    return judge.judge(
        Case(
            name=name,
            config=without_expired(project.config, datetime.date.today()),
            manifest_file=file,
            head_build=build,
            base_build=None,
            head_manifest=promise,
            base_manifest=None,
            diff=Diff({}),
            covered=covered,
        )
    )


def _built(name: str, build: Build) -> Finding:
    if build.signature is None:
        return Finding(f"build of {name}", "problem", build.failure or "", "restore-guard check shows more.")
    count = build.signature.count
    return Finding(f"build of {name}", "ok", f"{count} variables in {build.seconds:.1f} s, {build.strategy}")


def _promised(project: Project, name: str, judged: ModelResult) -> Finding:
    subject, file = f"manifest of {name}", project.manifest_file(name)
    about = next((finding for finding in judged.findings if finding.rule.startswith("manifest-")), None)
    if about is not None:
        return Finding(subject, "problem", about.message)
    if any(finding.rule == "build-failed" for finding in judged.findings):
        return Finding(subject, "unchecked", f"{file} cannot be compared with a model that does not build")
    return Finding(subject, "ok", f"{file} is current")


def _hook(repository: Repository) -> Finding:
    """Whether git would run the hook: by .git/hooks, or wherever core.hooksPath says, of this work tree."""
    folder = repository.hooks()
    install = "pre-commit install" + "".join(f" --hook-type {stage}" for stage in STAGES)
    files = {stage: folder / stage for stage in STAGES}
    runs = {
        stage: _text(file) for stage, file in files.items() if os.access(file, os.X_OK) and RUNNERS.search(_text(file))
    }
    configured = "restore-guard" in _text(repository.root / HOOKS)
    if runs and not configured and not any("restore-guard" in content for content in runs.values()):
        return Finding("hook", "problem", f"{HOOKS} does not name restore-guard", "restore-guard init adds it.")
    missing = [stage for stage in STAGES if stage not in runs]
    if missing:
        said = f"{folder} has no {', '.join(missing)} hook that runs restore-guard"
        return Finding("hook", "problem", said, install if configured else "restore-guard init adds it.")
    return Finding("hook", "ok", f"{', '.join(runs)} in {folder}")


def _planted(run: Run, project: Project, name: str, sources: Collection[str]) -> Finding:
    """Commits, in a copy, a promise that the model cannot keep, then the files as they are: a check of that must fail.

    The first commit has no sources: a base that builds and breaks its own promise would make the break pre-existing.
    """
    run.progress(f"planting a break of {name} in a temporary copy")
    repository, promise = run.repository, project.manifest(name)
    assert isinstance(promise, Manifest)
    promised = posixpath.join(repository.project, project.manifest_file(name))
    with folders.temporary() as copy:
        try:
            needed = _needed(project, name, repository.project, sources)
            base, head = planted.commits(repository, copy, needed, {promised: manifest.dump(_unkeepable(promise))})
            # The folder of the configuration, by which the project is found; the files themselves are not there.
            (copy / repository.project).mkdir(parents=True, exist_ok=True)
            (copy / repository.project / project.file).write_bytes(project.read(project.file) or b"")
            with Repository(copy / repository.project) as borrowing:
                sides = Sides(borrowing.commit(base), borrowing.commit(head))
                result = check.check(replace(run, repository=borrowing), sides, names=[name])
        except RestoreGuardError as error:
            return Finding("gate", "problem", f"a check of a copy of the files in git fails: {error}")
    (model,) = result.models
    if result.exit_code == 1 and any(finding.fails and finding.rule == "shape-changed" for finding in model.findings):
        return Finding("gate", "ok", f"red, as it must be, for a break of {name} that was planted in a copy")
    if model.verdict == "unchecked":
        why = next((finding.message for finding in model.findings), "")
        return Finding("gate", "problem", f"{name} builds on disk, but not from a copy of the files in git: {why}")
    return Finding(
        "gate",
        "problem",
        f"green for a break of {name} that was planted in a copy",
        "Look at the levels of rules and the ignores of the configuration.",
    )


def _carried(name: str, model: Signature) -> Iterator[Finding]:
    """How a break would get across: the migration for a first part of the model that had another name before."""
    part = next((item.path.partition("/")[0] for item in model.variables if not item.seed), None)
    if part is None:
        return
    (compared,) = compare(_called(model, part, f"{part}_before"), model, ["tf-checkpoint"], Diff({}))
    table = propose(compared, 1, "a better name").migration
    said = ", ".join(f'{{ from = "{entry.old}", to = "{entry.new}" }}' for entry in table.rename)
    undecided = f", and would ask about {len(table.open)}" if table.open else ""
    yield Finding(
        "migration",
        "ok",
        f"had {part} been {part}_before, `restore-guard update {name} --migrate REASON` would write rename = [{said}]"
        f"{undecided}; then `restore-guard migrate CHECKPOINT OUT` carries old checkpoints across",
    )


def _called(model: Signature, old: str, new: str) -> Signature:
    """A model whose variables below a name have another one."""
    variables = (
        msgspec.structs.replace(item, path=new + item.path.removeprefix(old))
        if item.path.partition("/")[0] == old
        else item
        for item in model.variables
    )
    return msgspec.structs.replace(model, variables=tuple(variables))


def _unkeepable(promise: Manifest) -> Manifest:
    """The promise of a model whose variables all have another shape."""
    signature = promise.signature
    variables = tuple(
        variable if variable.seed else msgspec.structs.replace(variable, shape=(7, *(variable.shape or ())))
        for variable in signature.variables
    )
    return msgspec.structs.replace(promise, signature=msgspec.structs.replace(signature, variables=variables))


def _needed(project: Project, name: str, prefix: str, sources: Collection[str]) -> Callable[[str], bool]:
    """Whether a file that was never committed belongs to a check of a model: data that no build reads does not."""
    inside = {project.file, *map(project.manifest_file, project.config.models), *sources}
    known = {posixpath.join(prefix, path) for path in inside}
    return lambda path: path in known or path.endswith(".py") or environment_files.is_environment_file(path)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
