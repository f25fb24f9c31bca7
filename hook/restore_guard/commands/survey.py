"""What `init` knows of a repository: the models in it, how each is built, and what becomes of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from restore_guard import config
from restore_guard.build import Build
from restore_guard.change.load_habits import Habit
from restore_guard.commands.workflow_file import Environment
from restore_guard.config import Config, Input, RestorePath
from restore_guard.discovery import builder_module
from restore_guard.discovery.attempts import Attempt
from restore_guard.discovery.candidate import Candidate
from restore_guard.environments.interpreters import Interpreter

NOT_BUILT = "is not built"
"""In the failure of a model that has no variables before it is called: its inputs are all that is missing."""
NO_VARIABLES = "has no variables before its first call: it is not built"


class Model(msgspec.Struct, frozen=True):
    """A model that was found in the source, and what became of building it.

    Attributes:
        attempt: how it was built, or would be.
        attempts: all ways that the source shows.
        lacks: a package that is not installed, without which it cannot be built.
    """

    candidate: Candidate
    build: Build = Build()
    inputs: tuple[Input, ...] = ()
    attempt: Attempt = Attempt()
    attempts: tuple[Attempt, ...] = ()
    lacks: str | None = None

    @property
    def name(self) -> str:
        return self.candidate.name

    @property
    def variables(self) -> int:
        """How many it has, seeds of random generators aside; none where it was not built."""
        built = self.build.signature
        return built.count if built is not None else 0

    @property
    def lacks_inputs(self) -> bool:
        return NOT_BUILT in (self.build.failure or "")

    def configured(self, restores: tuple[RestorePath, ...] | None = None) -> config.Model:
        """Its entry of the configuration."""
        builder = self.candidate.builder
        if self.attempt.body:
            builder = f"{builder_module.MODULE}:{builder_module.function_name(self.name)}"
        return config.Model(builder, kwargs=dict(self.attempt.kwargs), inputs=self.inputs, restores=restores)


class Survey(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        folder: the project, relative to the root of the repository.
        settings: the configuration that there is already.
        usable: models that build.
        unusable: models that do not build as they are, or that are still to be tried.
        pythonpath: the folders to import from, those of the configuration first.
        carry: files that git ignores and that builds read.
        habits: {model: how the repository's own code saves and loads its checkpoints}.
        asked: the restore paths that somebody wants promised, whatever the code does.
        environment: the versions of the Python that builds.
    """

    folder: str
    settings: Config | None
    python: Interpreter
    usable: tuple[Model, ...] = ()
    unusable: tuple[Model, ...] = ()
    pythonpath: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    habits: Mapping[str, Habit] = msgspec.field(default_factory=dict)
    asked: tuple[RestorePath, ...] = ()
    environment: Environment = Environment()

    @property
    def missing(self) -> dict[str, list[str]]:
        """{package that is not installed: the models that need it}."""
        found: dict[str, list[str]] = {}
        for model in self.unusable:
            if model.lacks is not None:
                found.setdefault(model.lacks, []).append(model.name)
        return found


def roots(settings: Config | None, models: Iterable[Model]) -> tuple[str, ...]:
    """The folders to import these models from, those of the configuration first."""
    present = settings.pythonpath if settings else ()
    return tuple(dict.fromkeys([*present, *(model.candidate.root for model in models if model.candidate.root)]))
