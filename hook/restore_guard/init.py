"""Sets a repository up: finds models, builds them once, proposes what to write, and writes it where nothing is yet."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from restore_guard import builds, check, config, discovery, environment, origin, update
from restore_guard.config import OWN_FILE, SHARED_FILE, Config, Input
from restore_guard.discovery import Candidate
from restore_guard.environment import Interpreter
from restore_guard.errors import UsageError
from restore_guard.origin import Origin
from restore_guard.repository import Repository

HOOKS = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/restore-guard.yml"
STAGES = ("pre-commit", "pre-merge-commit", "pre-push")

NOT_BUILT = "is not built"
"""In the failure of a model that has no variables before it is called: its inputs are all that is missing."""

# What a workflow runs to install the project, by the file that asks for it; the first that is there.
INSTALLS = {
    "uv.lock": "pip install uv && uv sync --locked",
    "poetry.lock": "pip install poetry && poetry install",
    "pdm.lock": "pip install pdm && pdm sync",
    "Pipfile.lock": "pip install pipenv && pipenv sync",
    "requirements.txt": "pip install -r requirements.txt",
    "pyproject.toml": "pip install .",
}


@dataclass(frozen=True)
class Model:
    """A model that was found in the source, and what became of building it."""

    candidate: Candidate
    build: builds.Build
    inputs: tuple[Input, ...] = ()

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
class File:
    """A file to write: `added` is what is new in `content`; `before` is None where there is no such file."""

    path: str
    before: str | None
    content: str
    added: str


@dataclass(frozen=True)
class Plan:
    """What would be written, and what is left to do by hand."""

    models: tuple[Model, ...]
    files: tuple[File, ...]
    manifests: tuple[str, ...]
    by_hand: tuple[str, ...]
    install: str


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
    found = discovery.find(read, files)
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
    python = environment.find(settings.python if settings else None, root, environ)
    ready = tuple(Model(candidate, builds.Build()) for candidate in found if not candidate.required)
    uncallable = tuple(candidate for candidate in found if candidate.required)
    return Survey(repository.project, settings, python, (), ready, uncallable)


def build(repository: Repository, found: Survey, probe: builds.Probe) -> Survey:
    """The survey once every model that needs no arguments was built."""
    built = _build(repository, found, found.unusable, probe)
    return replace(
        found,
        usable=tuple(model for model in built if model.build.signature is not None),
        unusable=tuple(model for model in built if model.build.signature is None),
    )


def with_inputs(
    repository: Repository,
    found: Survey,
    model: Model,
    shapes: str,
    probe: builds.Probe,
) -> Survey:
    """The survey once a model that was not built is called with inputs of these shapes: `28,28,1`, or `8; 16`.

    Raises:
        UsageError: not a shape.
    """
    try:
        inputs = tuple(
            Input(tuple(int(size) for size in re.split(r"[,x\s]+", shape.strip(" ()[],"))))
            for shape in shapes.split(";")
        )
    except ValueError as error:
        raise UsageError(f"{shapes!r} is not a shape: give numbers, such as 784 or 28,28,1.") from error
    (built,) = _build(repository, found, [replace(model, inputs=inputs)], probe)
    if built.build.signature is None:
        return replace(found, unusable=tuple(built if other is model else other for other in found.unusable))
    others = tuple(other for other in found.unusable if other is not model)
    return replace(found, usable=(*found.usable, built), unusable=others)


def plan(repository: Repository, found: Survey, names: Sequence[str] = ()) -> Plan:
    """What to write for the models of these names, or for all that build.

    Raises:
        UsageError: a name that was not found, no model to write anything for, or a configuration that only a person
            can add to.
    """
    by_name = {model.candidate.name: model for model in found.usable}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise UsageError(f"{unknown[0]} is none of the models that build: {', '.join(by_name)}.")
    models = tuple(by_name[name] for name in names or by_name)
    if not models:
        raise UsageError("No model that was found can be built as it is, so there is nothing to guard yet.")
    source, by_hand, files = origin.find(), [], []
    read = repository.reader(repository.worktree())
    files.append(_configuration(repository, found, models))
    for propose in (_hook, _workflow):
        file, advice = propose(repository, found, source)
        files += [file] if file else []
        by_hand += [advice] if advice else []
    folder = found.settings.manifests if found.settings else Config().manifests
    manifests = tuple(f"{folder}/{model.candidate.name}.json" for model in models)
    taken = [path for path in manifests if read(path) is not None]
    if taken:
        raise UsageError(f"{taken[0]} is there already, of a model that is not configured: remove it first.")
    if not source.known and any("OWNER" in file.added for file in files):
        by_hand.append("Replace OWNER by the owner of the repository that you install restore-guard from.")
    types = "" if _installs_all(repository) or any(f.path == HOOKS and f.before is None for f in files) else _types()
    return Plan(models, tuple(files), manifests, tuple(by_hand), f"pre-commit install{types}")


def write(
    repository: Repository,
    proposed: Plan,
    environ: Mapping[str, str],
    progress: Callable[[str], None] = lambda _: None,
) -> list[update.Updated]:
    """Writes the files of a plan, then the manifests.

    Raises:
        UsageError: a file is no longer what it was when the plan was made.
    """
    for file in proposed.files:
        path = repository.root / file.path
        if _text(path) != file.before:
            raise UsageError(f"{file.path} has changed meanwhile: run `restore-guard init` again.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content, encoding="utf-8", newline="")
    names = [model.candidate.name for model in proposed.models]
    return update.update(repository, names=names, reason=None, environ=environ, progress=progress)


def _build(repository: Repository, found: Survey, models: Sequence[Model], probe: builds.Probe) -> list[Model]:
    root, settings = repository.root / found.folder, found.settings
    proposed = Config(
        timeout=settings.timeout if settings else Config().timeout,
        pythonpath=_pythonpath(settings, models),
        models={model.candidate.name: config.Model(model.candidate.builder, inputs=model.inputs) for model in models},
    )
    built = probe.run([check.job(proposed, name, name, root, root, ()) for name in proposed.models])
    return [replace(model, build=built[model.candidate.name]) for model in models]


def _pythonpath(settings: Config | None, models: Iterable[Model]) -> tuple[str, ...]:
    present = settings.pythonpath if settings else ()
    return tuple(dict.fromkeys([*present, *(model.candidate.root for model in models if model.candidate.root)]))


def _renamed(candidate: Candidate, settings: Config | None) -> Candidate:
    name = candidate.name
    while settings is not None and name in settings.models:
        name += "-2"
    return replace(candidate, name=name)


def _configuration(repository: Repository, found: Survey, models: Sequence[Model]) -> File:
    root = repository.root / found.folder
    own = (root / OWN_FILE).is_file() or not (root / SHARED_FILE).is_file()
    prefix = "" if own else "tool.restore-guard."
    lines = []
    pythonpath = _pythonpath(found.settings, models)
    if pythonpath and found.settings is None:
        lines += ([] if own else ["[tool.restore-guard]"]) + [f"pythonpath = {json.dumps(pythonpath)}", ""]
    elif found.settings is not None and pythonpath != found.settings.pythonpath:
        raise UsageError(f"Set pythonpath = {json.dumps(pythonpath)} in the configuration, then run this again.")
    for model in models:
        lines += [f"[{prefix}models.{_key(model.candidate.name)}]", f"builder = {json.dumps(model.candidate.builder)}"]
        if model.inputs:
            shapes = ", ".join(f"{{ shape = {json.dumps(item.shape)} }}" for item in model.inputs)
            lines.append(f"inputs = [{shapes}]")
        lines.append("")
    added = "\n".join(lines)
    file = _appended(repository.root, _join(found.folder, OWN_FILE if own else SHARED_FILE), added)
    if not _keeps(file, models):
        raise UsageError(
            f"{file.path} has a form that no program can add to safely. Add this yourself, then run "
            f"`restore-guard update`:\n{added}"
        )
    return file


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _keeps(file: File, models: Sequence[Model]) -> bool:
    """Whether the file still says all that it said, and the models beside."""
    try:
        before, after = tomllib.loads(file.before or ""), tomllib.loads(file.content)
    except tomllib.TOMLDecodeError:
        return False
    for table in (before, after):
        ours = table.get("tool", {}).get("restore-guard", {}) if file.path.endswith(SHARED_FILE) else table
        ours.pop("pythonpath", None)
        for model in models:
            ours.get("models", {}).pop(model.candidate.name, None)
        if not ours.get("models", True):
            ours.pop("models")
        if not ours and file.path.endswith(SHARED_FILE):
            table.get("tool", {}).pop("restore-guard", None)
        if not table.get("tool", True):
            table.pop("tool")
    return before == after


Proposed = tuple[File | None, str | None]
"""A file to write, and what is left to do by hand."""


def _hook(repository: Repository, found: Survey, source: Origin) -> Proposed:
    entry = [f"- repo: {source.url}", f"  rev: {source.revision}", "  hooks:", "    - id: restore-guard"]
    if found.folder:
        entry.append(f"      args: [--project, {json.dumps(found.folder)}]")
    before = _text(repository.root / HOOKS)
    if before is None:
        content = f"default_install_hook_types: [{', '.join(STAGES)}]\nrepos:\n"
        content += "".join(f"  {line}\n" for line in entry)
        return File(HOOKS, None, content, content), None
    if re.search(r"^\s*(- )?id:\s*['\"]?restore-guard\b", before, re.MULTILINE) and not found.folder:
        return None, None
    place = _end_of_repos(before)
    if place is None:
        shown = "\n".join(entry)
        return None, f"Add to the `repos` of {HOOKS}, which has a form that no program can add to safely:\n{shown}"
    end, indent = place
    newline = "\r\n" if "\r\n" in before else "\n"
    added = "".join(f"{indent}{line}\n" for line in entry)
    head, tail = before[:end], before[end:]
    if head and not head.endswith("\n"):
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
    last = re.search(r"(?:\r?\n[ \t]*(?:#[^\n]*)?)*\Z", content[:end]).start()
    line = re.compile(r"\r?\n").match(content, last)
    return line.end() if line else last, item[1]


def _workflow(repository: Repository, found: Survey, source: Origin) -> Proposed:
    if (repository.root / WORKFLOW).exists():
        return None, None
    uses = source.action or f"OWNER/restore-guard@{source.revision}"
    root = repository.root / found.folder
    install = next((command for name, command in INSTALLS.items() if (root / name).is_file()), "pip install tensorflow")
    manager = install.startswith("pip install") and "&&" in install
    inputs = [] if manager else ["          python: python"]
    if found.folder:
        inputs.insert(0, f"          working-directory: {json.dumps(found.folder)}")
    folder = [f"        working-directory: {json.dumps(found.folder)}"] if found.folder else []
    lines = [
        "name: Checkpoints",
        "on: pull_request",
        "permissions:",
        "  contents: read",
        "jobs:",
        "  restore-guard:",
        "    runs-on: ubuntu-latest",
        "    steps:",
        "      - uses: actions/checkout@v5",
        "        with:",
        "          persist-credentials: false",
        "      - uses: actions/setup-python@v6",
        "        with:",
        '          python-version: "3.12"',
        f"      - run: {install}",
        *folder,
        f"      - uses: {uses}",
        *(["        with:", *inputs] if inputs else []),
        "",
    ]
    content = "\n".join(lines)
    advice = None if source.action else f"Replace OWNER in {WORKFLOW}: an action is fetched from GitHub."
    return File(WORKFLOW, None, content, content), advice


def _installs_all(repository: Repository) -> bool:
    content = _text(repository.root / HOOKS) or ""
    named = re.search(r"^default_install_hook_types:\s*\[(.*?)\]", content, re.MULTILINE | re.DOTALL)
    return named is not None and set(STAGES) <= set(re.findall(r"[\w-]+", named[1]))


def _types() -> str:
    return "".join(f" --hook-type {stage}" for stage in STAGES)


def _appended(root: Path, path: str, added: str) -> File:
    before = _text(root / path)
    newline = "\r\n" if before and "\r\n" in before else "\n"
    head = before or ""
    if head.strip():
        head = head.rstrip("\r\n") + newline + newline
    return File(path, before, head + added.rstrip("\n").replace("\n", newline) + newline, added)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _text(path: Path) -> str | None:
    """As it is on disk, its line ends too; None where there is no such file."""
    return path.read_bytes().decode() if path.exists() else None
