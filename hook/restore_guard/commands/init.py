"""Sets a repository up: finds models, builds them once, proposes what to write, and writes it where nothing is yet."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from restore_guard import config
from restore_guard.build import Build
from restore_guard.building import probing
from restore_guard.building.workshop import model_job
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import discovery, origin, setup_files, update
from restore_guard.commands.discovery import Candidate
from restore_guard.commands.renewing import Updated
from restore_guard.commands.setup_files import File
from restore_guard.config import Config, Input
from restore_guard.environments import interpreters
from restore_guard.environments.interpreters import Interpreter
from restore_guard.errors import UsageError

NOT_BUILT = "is not built"
"""In the failure of a model that has no variables before it is called: its inputs are all that is missing."""


@dataclass(frozen=True)
class Model:
    """A model that was found in the source, and what became of building it."""

    candidate: Candidate
    build: Build
    inputs: tuple[Input, ...] = ()

    @property
    def variables(self) -> int:
        """How many it has, seeds of random generators aside; none where it was not built."""
        built = self.build.signature
        return sum(not variable.seed for variable in built.variables) if built is not None else 0

    @property
    def lacks_inputs(self) -> bool:
        return NOT_BUILT in (self.build.failure or "")


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        folder: the project, relative to the root of the repository.
        settings: the configuration that there is already.
        usable: models that build.
        unusable: models that do not build as they are.
        uncallable: models that need arguments, which nobody but the user knows.
    """

    folder: str
    settings: Config | None
    python: Interpreter
    usable: tuple[Model, ...]
    unusable: tuple[Model, ...]
    uncallable: tuple[Candidate, ...]


@dataclass(frozen=True)
class Plan:
    """What would be written, and what is left to do by hand.

    Attributes:
        manifests: their files, relative to the root of the repository, as all are.
        untracked: files that git does not know yet, and the models are made of.
        install: the command that installs the hook.
    """

    models: tuple[Model, ...]
    files: tuple[File, ...]
    manifests: tuple[str, ...]
    by_hand: tuple[str, ...]
    install: str
    untracked: tuple[str, ...] = ()


def look(repository: Repository, here: Path, environ: Mapping[str, str]) -> Survey:
    """Looks for models below the project that `here` is in, and for who builds them; builds nothing yet.

    Raises:
        UsageError: there is no model, or none that is not configured already.
        UncheckedError: no Python to build with.
    """
    repository.project = repository.project_of(here)
    worktree = repository.worktree()
    read = repository.reader(worktree)
    prefix = f"{repository.project}/" if repository.project else ""
    files = [path.removeprefix(prefix) for path in repository.files(worktree, repository.project)]
    found = discovery.candidates(read, files)
    loaded = config.load(read)
    settings = loaded[1] if loaded else None
    known = {model.builder for model in settings.models.values()} if settings else set()
    found = [_renamed(candidate, settings) for candidate in found if candidate.builder not in known]
    if not found:
        raise UsageError(
            f"No model was found{' that is not configured already' if known else ''} in {len(files)} files of "
            f"{repository.root / repository.project}: no public function that returns a Keras model or tf.Module, "
            "and no class of one. Name one by hand in pyproject.toml: [tool.restore-guard.models.NAME] with "
            'builder = "package.module:function".'
        )
    root = repository.root / repository.project
    python = interpreters.choose(settings.python if settings else None, root, environ)
    ready = tuple(Model(candidate, Build()) for candidate in found if not candidate.required)
    uncallable = tuple(candidate for candidate in found if candidate.required)
    return Survey(repository.project, settings, python, (), ready, uncallable)


def build(repository: Repository, found: Survey, probe: probing.Probe) -> Survey:
    """The survey once every model that needs no arguments was built."""
    built = _build(repository, found, found.unusable, probe)
    return replace(
        found,
        usable=tuple(model for model in built if model.build.signature is not None),
        unusable=tuple(model for model in built if model.build.signature is None),
    )


def inputs_of(shapes: str) -> tuple[Input, ...]:
    """Inputs of these shapes: `28,28,1`, or `8; 16`; none for an empty answer.

    Raises:
        UsageError: not a shape.
    """
    try:
        return tuple(
            Input(tuple(int(size) for size in re.split(r"[,x\s]+", shape.strip(" ()[],"))))
            for shape in filter(None, shapes.split(";"))
        )
    except ValueError as error:
        raise UsageError(f"{shapes!r} is not a shape: give numbers, such as 784 or 28,28,1.") from error


def chosen(found: Survey, answer: str) -> list[str]:
    """The models that an answer names; none for `all`.

    Raises:
        UsageError: a name of none.
    """
    names = answer.replace(",", " ").split()
    usable = {model.candidate.name for model in found.usable}
    for name in names if names != ["all"] else ():
        if name not in usable:
            raise UsageError(f"{name} is none of the models that build: {', '.join(sorted(usable))}.")
    return [] if names == ["all"] else names


def with_inputs(
    repository: Repository,
    found: Survey,
    model: Model,
    inputs: tuple[Input, ...],
    probe: probing.Probe,
) -> Survey:
    """The survey once a model that was not built is called with such inputs."""
    (built,) = _build(repository, found, [replace(model, inputs=inputs)], probe)
    if built.build.signature is None:
        return replace(found, unusable=tuple(built if other is model else other for other in found.unusable))
    others = tuple(other for other in found.unusable if other is not model)
    return replace(found, usable=(*found.usable, built), unusable=others)


def plan(repository: Repository, found: Survey, chosen: Sequence[str] = ()) -> Plan:
    """What to write for the models of these names, or for all that build.

    Raises:
        UsageError: a name that was not found, no model to write anything for, or a configuration that only a person
            can add to.
    """
    by_name = {model.candidate.name: model for model in found.usable}
    unknown = [name for name in chosen if name not in by_name]
    if unknown:
        raise UsageError(f"{unknown[0]} is none of the models that build: {', '.join(by_name)}.")
    models = tuple(by_name[name] for name in chosen or by_name)
    if not models:
        raise UsageError("No model that was found can be built as it is, so there is nothing to guard yet.")
    root, source, read = repository.root, origin.recorded(), repository.reader(repository.worktree())
    pythonpath = _pythonpath(found.settings, models)
    if found.settings is not None and pythonpath != found.settings.pythonpath:
        raise UsageError(f"Set pythonpath = {json.dumps(pythonpath)} in the configuration, then run this again.")
    new = pythonpath if found.settings is None else ()
    settings = setup_files.configuration(root, found.folder, new, _configured(models), source)
    hook, about_hook = setup_files.hook(root, found.folder, source)
    workflow, about_workflow = setup_files.workflow(root, found.folder, source)
    files = tuple(file for file in (settings, hook, workflow) if file is not None)
    by_hand = [advice for advice in (about_hook, about_workflow) if advice is not None]
    folder = found.settings.manifests if found.settings else Config().manifests
    names = [f"{folder}/{model.candidate.name}.json" for model in models]
    taken = [name for name in names if read(name) is not None]
    if taken:
        raise UsageError(f"{taken[0]} is there already, of a model that is not configured: remove it first.")
    if not source.known and any(origin.PLACEHOLDER in file.added for file in files):
        by_hand.append(f"Replace {origin.OWNER} by the owner of the repository that you install restore-guard from.")
    manifests = tuple(posixpath.join(found.folder, name) for name in names)
    read_by = {path for model in models if model.build.signature for path in model.build.signature.sources}
    needed = {posixpath.join(found.folder, path) for path in read_by}
    untracked = tuple(sorted(needed.intersection(repository.untracked())))
    return Plan(models, files, manifests, tuple(by_hand), setup_files.install_command(root, hook), untracked)


def write(run: Run, proposed: Plan) -> list[Updated]:
    """Writes the files of a plan, then the manifests.

    Raises:
        UsageError: a file is no longer what it was when the plan was made.
    """
    for file in proposed.files:
        if setup_files.text(run.repository.root / file.path) != file.before:
            raise UsageError(f"{file.path} has changed meanwhile: run `restore-guard init` again.")
    for file in proposed.files:
        path = run.repository.root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content, encoding="utf-8", newline="")
    names = [model.candidate.name for model in proposed.models]
    return update.update(run, names=names, reason=None)


def _build(repository: Repository, found: Survey, models: Sequence[Model], probe: probing.Probe) -> list[Model]:
    root, settings = repository.root / found.folder, found.settings
    proposed = Config(
        timeout=settings.timeout if settings else Config().timeout,
        pythonpath=_pythonpath(settings, models),
        models=_configured(models),
    )
    built = probe.run([model_job(proposed, name, root) for name in proposed.models])
    return [replace(model, build=built[model.candidate.name]) for model in models]


def _configured(models: Iterable[Model]) -> dict[str, config.Model]:
    return {model.candidate.name: config.Model(model.candidate.builder, inputs=model.inputs) for model in models}


def _pythonpath(settings: Config | None, models: Iterable[Model]) -> tuple[str, ...]:
    present = settings.pythonpath if settings else ()
    return tuple(dict.fromkeys([*present, *(model.candidate.root for model in models if model.candidate.root)]))


def _renamed(candidate: Candidate, settings: Config | None) -> Candidate:
    name = candidate.name
    while settings is not None and name in settings.models:
        name += "-2"
    return replace(candidate, name=name)
