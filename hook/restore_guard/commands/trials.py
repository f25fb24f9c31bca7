"""Candidates tried in one warm Python: one way after the other, until one builds, for a limited time."""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from restore_guard import config, folders
from restore_guard.build import Build
from restore_guard.building import probing
from restore_guard.building.apart import Apart
from restore_guard.building.workshop import model_job
from restore_guard.commands.survey import NO_VARIABLES, Model
from restore_guard.config import Config, Input
from restore_guard.discovery import builder_module
from restore_guard.discovery.attempts import Attempt
from restore_guard.discovery.inputs import Tensors

PER_CANDIDATE = 60.0
IN_ALL = 300.0
"""Seconds that one candidate, and all of them, may take: whoever sets up waits for it."""
_AT_ONCE = 8

_TOO_LONG = "took longer than"
_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
# A folder of the project is taken for the package of its name where that is not installed.
_NO_ATTRIBUTE = re.compile(r"module '(\w+)' has no attribute '\w+'|cannot import name '\w+' from '(\w+)' \(unknown")


class _Turn(msgspec.Struct):
    """A model on its way through its attempts."""

    model: Model
    attempt: int = 0
    shapes: int = -1
    is_guess: bool = False
    """Whether it is called although it need not be: it may be lazy without saying so, or not be called that way."""
    first_failure: Build | None = None
    lacking: Model | None = None
    """As it was tried first without the inputs that it is built by."""
    folders: int = 0
    """How many folders it was built with: more may be known since."""

    @property
    def current(self) -> Attempt:
        return self.model.attempts[self.attempt]

    @property
    def inputs(self) -> tuple[Input, ...]:
        if self.shapes < 0:
            return self.model.inputs
        return as_inputs(self.current.inputs[self.shapes])


def as_inputs(tensors: Tensors) -> tuple[Input, ...]:
    return tuple(Input(tensor.shape, tensor.dtype) for tensor in tensors)


class Trials:
    """Tries the models of one project.

    Attributes:
        pythonpath: the folders to import from; those that turn out to be needed are added.

    Args:
        files: all files of the project, in which the folder of a module is looked for.
        apart: where what would write into the work tree is built; None where it is not built at all.
        seconds: what may be spent in all.
    """

    def __init__(
        self,
        root: Path,
        files: Sequence[str],
        pythonpath: Sequence[str],
        probe: probing.Probe,
        *,
        apart: Apart | None = None,
        seconds: float = IN_ALL,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.apart = apart
        self.root, self.files, self.pythonpath, self.probe = root, files, list(pythonpath), probe
        self.end, self.progress = time.monotonic() + seconds, progress

    def run(self, models: Sequence[Model]) -> list[Model]:
        """The models with what became of building them; those without any attempt stay as they are."""
        done: dict[str, Model] = {}
        waiting = [_begun(model) for model in models if model.attempts]
        with folders.temporary() as folder:
            while waiting:
                if time.monotonic() > self.end:
                    done |= {turn.model.name: _untried(turn) for turn in waiting}
                    break
                now, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
                built = self._build(now, folder, f"trying {len(done) + 1} to {len(done) + len(now)} of {len(models)}")
                for turn in now:
                    ended = self._ended(turn, built[turn.model.name])
                    if ended is None:
                        waiting.insert(0, turn)
                    else:
                        done[ended.name] = ended
        return [done.get(model.name, model) for model in models]

    def _build(self, turns: Sequence[_Turn], folder: Path, purpose: str) -> Mapping[str, Build]:
        models = {}
        for turn in turns:
            turn.folders = len(self.pythonpath)
            entry = replace_attempt(turn).configured()
            if turn.current.body:
                module = f"restore_guard_trial_{abs(hash((turn.model.name, turn.attempt)))}"
                name = builder_module.function_name(turn.model.name)
                text = builder_module.function(turn.model.candidate, turn.current, name)
                (folder / f"{module}.py").write_text(text, encoding="utf-8")
                entry = config.Model(f"{module}:{name}", inputs=entry.inputs)
            models[turn.model.name] = entry
        settings = Config(timeout=PER_CANDIDATE, pythonpath=(*self.pythonpath, str(folder)), models=models)
        jobs = [model_job(settings, name, self.root) for name in models]
        built = self.probe.run(jobs, purpose)
        return built if self.apart is None else self.apart.again(jobs, built, lambda it: self.probe.run(it, purpose))

    def _ended(self, turn: _Turn, build: Build) -> Model | None:
        """What became of a model; None where there is more to try."""
        model = replace_attempt(turn)
        if build.signature is not None:
            found = replace(model, build=build)
            if found.variables:
                return found
            build = Build(failure=f"{model.candidate.target} {NO_VARIABLES}.")
        failed = replace(model, build=build)
        is_other = not failed.lacks_inputs and not re.search(f"{_NO_MODULE.pattern}|{_TOO_LONG}", build.failure or "")
        if turn.is_guess and is_other:
            turn.is_guess, turn.shapes = False, -1
            return None
        turn.first_failure = turn.first_failure or build
        if failed.lacks_inputs and turn.shapes + 1 < len(turn.current.inputs):
            turn.shapes += 1
            return None
        lacking = _NO_MODULE.search(build.failure or "")
        if lacking is not None and (turn.folders < len(self.pythonpath) or self._reach(lacking[1])):
            return None
        package = lacking[1].partition(".")[0] if lacking is not None else self._shadowed(build.failure or "")
        if package is not None and turn.attempt + 1 >= len(turn.model.attempts):
            return replace(failed, lacks=package)
        if failed.lacks_inputs:
            turn.lacking = turn.lacking or failed
        is_over = failed.lacks_inputs and not any(attempt.calls for attempt in turn.model.attempts[turn.attempt + 1 :])
        if is_over or _TOO_LONG in (build.failure or "") or not self._next(turn):
            return turn.lacking or replace(failed, build=turn.first_failure)
        return None

    def _shadowed(self, failure: str) -> str | None:
        """The package in whose place Python takes a folder of the project that holds no code."""
        found = _NO_ATTRIBUTE.search(failure)
        name = next(filter(None, found.groups()), "") if found is not None else ""
        inside = [file for file in self.files if file.startswith(f"{name}/")]
        return name if name and inside and not any(file.endswith(".py") for file in inside) else None

    def _next(self, turn: _Turn) -> bool:
        turn.attempt, turn.shapes = turn.attempt + 1, -1
        return turn.attempt < len(turn.model.attempts)

    def _reach(self, module: str) -> bool:
        """Adds the folder from which a module of the project can be imported; False where there is none to add."""
        for folder in _homes(self.files, module):
            if folder not in self.pythonpath and folder:
                self.pythonpath.append(folder)
                return True
        return False


def replace_attempt(turn: _Turn) -> Model:
    """The model as its turn builds it now."""
    return replace(turn.model, attempt=turn.current, inputs=turn.inputs)


def _begun(model: Model) -> _Turn:
    """A class is called at once where the source shows how."""
    turn = _Turn(model)
    lazy = model.candidate.kind == "class" and not model.inputs and bool(turn.current.inputs)
    return _Turn(model, shapes=0, is_guess=True) if lazy else turn


def _untried(turn: _Turn) -> Model:
    failure = turn.first_failure or Build(failure="was not tried: the time for trying was over")
    return replace(replace_attempt(turn), build=failure)


def _homes(files: Sequence[str], module: str) -> Iterator[str]:
    """The folders of a project below which a module lies, the nearest to its root first."""
    path = module.replace(".", "/")
    found = set()
    for file in files:
        for end in (f"{path}.py", f"{path}/__init__.py"):
            if file == end or file.endswith(f"/{end}"):
                found.add(posixpath.normpath(file[: -len(end)] or ".").removeprefix("."))
    yield from sorted(found, key=lambda folder: (folder.count("/"), folder))
