"""Sets a repository up: finds models, builds them once, proposes what to write, and writes it where nothing is yet."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from restore_guard import config, folders
from restore_guard.build import Build
from restore_guard.building import isolation, probing
from restore_guard.building.apart import Apart
from restore_guard.change import load_habits
from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.commands import carrying_along, origin, promising, proposed_files, survey, update, workflow_file
from restore_guard.commands.guarded import guarded
from restore_guard.commands.renewing import Updated
from restore_guard.commands.setup_files import File
from restore_guard.commands.survey import Model, Survey
from restore_guard.commands.trials import IN_ALL, Trials
from restore_guard.commands.workflow_file import Environment
from restore_guard.config import Config, Input
from restore_guard.discovery import builder_module
from restore_guard.discovery.attempts import Attempt, Attempts
from restore_guard.discovery.candidate import Candidate
from restore_guard.discovery.models import candidates
from restore_guard.discovery.modules import BESIDE, TESTS, project
from restore_guard.environments import installed, interpreters
from restore_guard.environments.interpreters import Interpreter
from restore_guard.errors import UsageError
from restore_guard.promise import excerpts


class Plan(msgspec.Struct, frozen=True):
    """What would be written, and what is left to do by hand.

    Attributes:
        names: the models whose manifests are to be written.
        manifests: their files, relative to the root of the repository, as all are.
        untracked: files that git does not know yet, and the models are made of.
        install: the command that installs the hook.
    """

    names: tuple[str, ...]
    files: tuple[File, ...]
    manifests: tuple[str, ...]
    by_hand: tuple[str, ...]
    install: str
    untracked: tuple[str, ...] = ()


def look(repository: Repository, here: Path, environ: Mapping[str, str]) -> Survey:
    """Looks for models below the project that `here` is in, and for who builds them; builds nothing yet.

    Raises:
        UsageError: there is no model, neither in the source nor in the configuration.
        UncheckedError: no Python to build with.
    """
    repository.project = repository.project_of(here)
    worktree = repository.worktree()
    read = repository.reader(worktree)
    files = repository.project_files(worktree)
    parsed = project(read, files)
    loaded = config.load(read)
    settings = loaded[1] if loaded else None
    found = [_renamed(each, settings) for each in _new(candidates(parsed), settings, read, files)]
    if not found and not (settings and settings.models):
        raise UsageError(
            f"No model was found in {len(files)} files of {repository.root / repository.project}: no public function "
            "that returns a Keras model or tf.Module, no class of one, and nothing that adds variables to a TF1 graph. "
            "Name one by hand in pyproject.toml: [tool.restore-guard.models.NAME] with "
            'builder = "package.module:function".'
        )
    root = repository.root / repository.project
    python = interpreters.choose(settings.python if settings else None, root, environ)
    attempts = Attempts(parsed)
    models = tuple(_untried(each, attempts.of(each)) for each in found)
    folders = survey.roots(settings, models)
    own = [file for file in files if file.endswith(".py") and not TESTS.search(file) and not BESIDE.search(file)]
    builders = {model.name: model.candidate.builder.partition(":")[0] for model in models}
    return Survey(
        repository.project,
        settings,
        python,
        (),
        models,
        folders,
        habits=load_habits.habits(read, own, builders, (*folders, "")),
        environment=_versions(python, environ),
    )


def _new(
    found: Sequence[Candidate], settings: Config | None, read: Callable[[str], bytes | None], files: Collection[str]
) -> Iterator[Candidate]:
    """Those that are not configured yet, by hand or by an earlier `init`."""
    known = {model.builder for model in settings.models.values()} if settings else set()
    places = {f"{file}:{name}" for file, name in _configured(settings, files)} if settings else set()
    places |= builder_module.targets((read(builder_module.FILE) or b"").decode(errors="replace"))
    for each in found:
        if each.builder not in known and not {each.target, f"{each.file}:{each.builder.partition(':')[2]}"} & places:
            yield each


def _configured(settings: Config, files: Collection[str]) -> Iterator[tuple[str, str]]:
    """(file, function) of what the configured models are built by, found as an import finds it."""
    for model in settings.models.values():
        module, _, name = model.builder.partition(":")
        path = module.replace(".", "/")
        there = (posixpath.join(root, f"{path}{end}") for root in settings.roots for end in (".py", "/__init__.py"))
        file = next((file for file in there if file in files), None)
        if file is not None:
            yield file, name


def _versions(python: Interpreter, environ: Mapping[str, str]) -> Environment:
    known = installed.ask(python.path, isolation.environment(environ))
    if known is None:
        return Environment()
    names = (name for name in workflow_file.TENSORFLOW if name in known.versions)
    tensorflow = next((f"{name}=={known.versions[name]}" for name in names), None)
    return Environment(".".join(map(str, known.version[1:3])), tensorflow)


def _untried(candidate: Candidate, attempts: Sequence[Attempt]) -> Model:
    """A model, with the reason for which it is not even tried where there is one."""
    why = None
    if candidate.kind == "enclosed":
        why = "is made where it is trained too: a function that returns it can be guarded"
    elif candidate.work is not None:
        work = candidate.work
        why = (
            f"is not imported, for that runs {work.call} ({work.file}:{work.line}): "
            'put it below `if __name__ == "__main__":`'
        )
    elif not attempts:
        why = f"needs {', '.join(candidate.required)}, and the repository does not show with what"
    return Model(candidate, Build(failure=why), attempts=tuple(attempts))


def working_files(found: Survey) -> dict[str, list[str]]:
    """{file that does something when it is imported: models that could be built if it may}."""
    files: dict[str, list[str]] = {}
    for model in found.unusable:
        if model.candidate.work is not None and model.attempts:
            files.setdefault(model.candidate.file, []).append(model.name)
    return files


def build(
    repository: Repository,
    found: Survey,
    probe: probing.Probe,
    *,
    allowed: Collection[str] = (),
    seconds: float = IN_ALL,
    progress: Callable[[str], None] = lambda _: None,
) -> Survey:
    """The survey once every model was tried that may be.

    Args:
        allowed: files that may do something when they are imported.
    """
    tried = [
        model
        for model in found.unusable
        if model.attempts and (model.candidate.work is None or model.candidate.file in allowed)
    ]
    return _tried(repository, found, tried, probe, seconds, progress)


def with_inputs(
    repository: Repository,
    found: Survey,
    model: Model,
    inputs: tuple[Input, ...],
    probe: probing.Probe,
) -> Survey:
    """The survey once a model that was not built is called with such inputs."""
    return _tried(repository, found, [replace(model, inputs=inputs, attempts=(model.attempt,))], probe, IN_ALL)


def _tried(
    repository: Repository,
    found: Survey,
    models: Sequence[Model],
    probe: probing.Probe,
    seconds: float,
    progress: Callable[[str], None] = lambda _: None,
) -> Survey:
    root = repository.root / found.folder
    files = repository.project_files(repository.worktree())
    with folders.temporary() as folder:
        apart = Apart(repository, lambda: folder, list)
        trials = Trials(root, files, found.pythonpath, probe, apart=apart, seconds=seconds, progress=progress)
        built = {model.name: model for model in trials.run(models)}
        fresh = [model for model in built.values() if model.build.signature is not None]
        known = guarded(repository, found.settings, root, fresh, probe, apart)
    usable = [*found.usable, *(model for model in fresh if model.name not in known)]
    names = {*known, *(model.name for model in usable)}
    unusable = tuple(built.get(model.name, model) for model in found.unusable if model.name not in names)
    carry = carrying_along.needed(repository, found.folder, [model.build for model in usable])
    return replace(
        found, usable=tuple(usable), unusable=unusable, pythonpath=tuple(trials.pythonpath), carry=tuple(carry)
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
    usable = {model.name for model in found.usable}
    for name in names if names != ["all"] else ():
        if name not in usable:
            raise UsageError(f"{name} is none of the models that build: {', '.join(sorted(usable))}.")
    return [] if names == ["all"] else names


def plan(repository: Repository, found: Survey, chosen: Sequence[str] = ()) -> Plan:
    """What to write for the models of these names, or for all that build.

    Raises:
        UsageError: a name that was not found, no model to write anything for, or a configuration that only a person
            can add to.
    """
    by_name = {model.name: model for model in found.usable}
    unknown = [name for name in chosen if name not in by_name]
    if unknown:
        raise UsageError(f"{unknown[0]} is none of the models that build: {', '.join(by_name)}.")
    models = tuple(by_name[name] for name in chosen or by_name)
    read, source = repository.reader(repository.worktree()), origin.recorded()
    folder = found.settings.manifests if found.settings else Config().manifests
    if not models and not (found.settings and found.settings.models):
        raise UsageError("No model that was found can be built as it is, so there is nothing to guard yet.")
    names = [model.name for model in models]
    taken = [name for name in names if read(f"{folder}/{name}.json") is not None]
    if taken:
        raise UsageError(
            f"{folder}/{taken[0]}.json is there already, of a model that is not configured: remove it first."
        )
    configured = found.settings.models if found.settings else {}
    names += [name for name in configured if read(f"{folder}/{name}.json") is None]
    entries = {model.name: promising.entry(found, model) for model in models}
    files, by_hand, install = proposed_files.propose(repository, found, models, entries, source)
    manifests = tuple(posixpath.join(found.folder, f"{folder}/{name}.json") for name in names)
    read_by = {path for model in models if model.build.signature for path in model.build.signature.sources}
    return Plan(tuple(names), files, manifests, by_hand, install, _untracked(repository, found.folder, read_by))


def _untracked(repository: Repository, folder: str, sources: Collection[str]) -> tuple[str, ...]:
    needed = {posixpath.normpath(posixpath.join(folder, path)) for path in sources}
    return tuple(sorted(needed.intersection(repository.untracked())))


def write(run: Run, proposed: Plan) -> tuple[list[Updated], Plan]:
    """Writes the files of a plan, then the manifests; the plan then tells those that were, and what they were made of.

    Raises:
        UsageError: a file is no longer what it was when the plan was made.
    """
    repository = run.repository
    proposed_files.write(repository.root, proposed.files)
    done = update.update(run, names=list(proposed.names), reason=None) if proposed.names else []
    read = repository.reader(repository.worktree())
    folder = repository.project
    contents = {
        path: (name, content)
        for path, name in zip(proposed.manifests, proposed.names, strict=True)
        if (content := read(posixpath.relpath(path, folder or "."))) is not None
    }
    made_of = {source for name, content in contents.values() for source in excerpts.trace(content, name).sources}
    settings = config.load(read)
    made_of |= {settings[0]} if settings is not None else set()
    untracked = {*proposed.untracked, *_untracked(repository, folder, made_of)}
    return done, replace(proposed, manifests=tuple(contents), untracked=tuple(sorted(untracked)))


def _renamed(candidate: Candidate, settings: Config | None) -> Candidate:
    name = candidate.name
    while settings is not None and name in settings.models:
        name += "-2"
    return replace(candidate, name=name)
