"""How each file gets into the model of today, by what git's history, the migrations and a mapping say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from restore_guard.building import carrying
from restore_guard.building.checkpoint import Checkpoint
from restore_guard.errors import UsageError
from restore_guard.judging import fit, guess, lookups, optimizers, route
from restore_guard.judging.lookups import Lookups
from restore_guard.judging.optimizers import OptimizerBeside
from restore_guard.judging.route import NoRoute, Promise, Route
from restore_guard.promise import history, migrations
from restore_guard.promise.manifest import Manifest, since
from restore_guard.promise.migrations import MigrationError, Migrations
from restore_guard.promise.project import Project
from restore_guard.restore_paths import default_paths, restore_unchanged
from restore_guard.signature import Signature

# The restore path that writes a file of the same kind again.
_SAME = {
    "tf-checkpoint": "tf-checkpoint",
    "saved-model": "tf-checkpoint",
    "tf1-checkpoint": "tf1-saver",
    "weights-h5": "keras-weights",
    "sharded-weights": "keras-weights",
    "legacy-h5": "h5",
    "keras-archive": "keras-archive",
    "keras-folder": "keras-archive",
}


class Way(msgspec.Struct, frozen=True):
    """One file: what it holds, how it gets across, and what became of it.

    Attributes:
        path: the restore path that the result is for.
        sure: {variable: how sure its source is} where no migration says it, but a guess.
        lookups: where its hash tables and vocabularies go.
        optimizers: those that it holds beside the model.
        compared: how many values were compared after the result was restored.
        error: why it stays where it is.
    """

    file: Checkpoint
    path: str = ""
    route: Route | None = None
    sure: Mapping[str, str] = msgspec.field(default_factory=dict)
    lookups: Lookups = Lookups()
    optimizers: tuple[OptimizerBeside, ...] = ()
    compared: int = 0
    error: str | None = None

    @property
    def crossing(self) -> Route:
        """The route of a file that gets across. Raises ValueError for one that does not."""
        if self.route is None:
            raise ValueError(f"{self.file.name} does not get across: {self.error}")
        return self.route

    @property
    def beside(self) -> list[str]:
        """What the file holds beside the model and its optimizers."""
        found, told = self.crossing.fit, {value for one in self.optimizers for value in one.values}
        return [name for name in found.beside if found.is_elsewhere(name) and name not in told]

    @property
    def is_needless(self) -> bool:
        """Whether the file restores as it is."""
        same = _SAME.get(self.file.kind or "")
        return self.route is not None and not self.route.steps and self.path == same and not self.sure


class Planning(msgspec.Struct, frozen=True):
    """What all files of a call are planned by.

    Attributes:
        kept: the manifests up to HEAD; `everywhere` reads those of all branches.
    """

    project: Project
    name: str
    model: Signature
    kept: Sequence[history.Kept]
    everywhere: Callable[[], Sequence[history.Kept]]
    to: str | None = None
    mapping: str | None = None
    epoch: int | None = None

    def way(self, file: Checkpoint) -> Way:
        """How one file gets across, or why it does not."""
        if file.state == "unread":
            return Way(file, error=f"it could not be read: {file.failure}")
        if file.damage:
            return Way(file, error=f"it is damaged: {file.damage[0]}")
        if file.signature is None or file.kind not in fit.WRITTEN_BY:
            return Way(file, error="it holds nothing that restores")
        if not file.signature.variables:
            return Way(file, error="it holds no value of any variable, so that nothing of it can be carried across")
        path = self.path(file.kind)
        itself = restore_unchanged(path, self.model)
        if itself.kind == "unsupported":
            return Way(file, path, error=f"the model cannot be saved for {path}: {itself.error}")
        try:
            found = self.routed(file, path)
            looked_up = lookups.place(file.content[1], file.tables, found.crossing, path, self.model)
        except MigrationError as error:
            place = f"{error.file}:{error.line}: " if error.line else ""
            return Way(file, path, error=f"{place}{error.message}")
        except NoRoute as error:
            return Way(file, path, error=str(error))
        held = optimizers.beside(file.content[1], found.crossing, self.model)
        found = msgspec.structs.replace(found, lookups=looked_up, optimizers=held)
        lost = sorted(_lost(found.crossing, path, self.model))
        if lost:
            return msgspec.structs.replace(
                found,
                error=f"{path} never writes {', '.join(lost[:3])}, whose values would be lost: choose another --to",
            )
        return found

    def path(self, kind: str) -> str:
        """The restore path of the result: that of the file, as long as the model can be saved by it."""
        if self.to is not None:
            return self.to
        promised = self.project.config.models[self.name].restores or default_paths(self.model)
        same = _SAME[kind]
        return same if restore_unchanged(same, self.model).kind != "unsupported" else promised[0]

    def routed(self, file: Checkpoint, path: str) -> Way:
        today = Promise(self.today, self.model, "the code on disk")
        if self.mapping is not None:
            return Way(file, path, self.mapped(self.mapping, file, today))
        kind, held = file.content
        promises = [
            Promise(each.manifest.epoch, each.manifest.signature, each.label, ahead)
            for each in history.last_of_epochs(self.kept)
            if (ahead := self.ahead(each.manifest))
        ]
        tables = self.migrations
        try:
            return Way(file, path, route.by_promises(held, kind, promises, today, tables, self.epoch))
        except NoRoute:
            self.refuse_strange(held, kind, [*(promise.signature for promise in promises), self.model])
            if tables is not None or self.epoch is not None:
                raise
        guessed = guess.guess(held, fit.WRITTEN_BY[kind][0], self.model)
        return Way(file, path, Route(Promise(0, self.model), guessed.fit, (), guessed.plan), guessed.sure)

    def refuse_strange(self, held: Signature, kind: str, own: Sequence[Signature]) -> None:
        """Raises NoRoute where a file is of none of some models, and of an epoch that the code on disk is not past."""
        if any(fit.fits(held, kind, model).is_complete for model in own):
            return
        for each in reversed(history.last_of_epochs(self.everywhere())):
            if fit.fits(held, kind, each.manifest.signature).is_complete:
                raise NoRoute(
                    f"it is of {each.title}, which is not in the history of the code on "
                    f"disk (epoch {self.today}): check out that commit or a later one"
                )

    def mapped(self, mapping: str, file: Checkpoint, today: Promise) -> Route:
        """By a migration from outside: in the words of the manifest that knows the file, else in the file's own."""
        outside = _mapping(mapping)
        kind, held = file.content
        olds = [each.manifest.signature for each in self.kept]
        known = [old for old, _ in fit.fitting([(old, fit.fits(held, kind, old)) for old in olds])]
        return route.by_mapping(held, kind, known[0] if known else None, today, outside)

    @property
    def promised(self) -> Manifest | None:
        found = self.project.manifest(self.name)
        return found if isinstance(found, Manifest) else None

    @property
    def today(self) -> int:
        return self.promised.epoch if self.promised is not None else 1

    def ahead(self, old: Manifest) -> tuple[int, ...]:
        """The epochs that came after an older promise, or beside it on another branch."""
        history = self.promised.history if self.promised is not None else ()
        return tuple(entry.epoch for entry in since(old, history))

    @property
    def migrations(self) -> Migrations | None:
        """Raises MigrationError where the file of migrations cannot be read."""
        found = self.project.migrations(self.name)
        if isinstance(found, MigrationError):
            raise found
        return found


def _mapping(file: str) -> Migrations:
    """Raises UsageError where it is no migration, or more than one."""
    try:
        found = migrations.parse(Path(file).read_bytes(), file)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except MigrationError as error:
        raise UsageError(str(error)) from error
    if len(found.tables) != 1:
        raise UsageError(f"{file} holds {len(found.tables)} migrations: a mapping is one [[migration]] table.")
    return found


def _lost(found: Route, path: str, model: Signature) -> set[str]:
    """The variables that get a saved value which the result could not hold; an optimizer may stay behind."""
    skipped = carrying.skipped(path, model)
    seeds = {variable.path for variable in model.variables if variable.seed}
    return {name for name in found.sources if name in skipped - seeds and not fit.of_optimizer(name)}
