"""Carries old checkpoints into the model of today: found in git's history, planned, placed, restored, compared.

The old file is never touched. The new one comes to its place only after a fresh process has restored it by the plain
load call and every value was what the migrations say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from restore_guard.building import carrying, checkpoint, output, pythons
from restore_guard.building.checkpoint import Checkpoint, Reading
from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.change.run import Run
from restore_guard.commands import builders
from restore_guard.commands.builders import Builder
from restore_guard.commands.ways import Planning, Way
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.judging import fit
from restore_guard.promise import history
from restore_guard.promise.manifest import ManifestError
from restore_guard.signature import Signature

# How a file is called that Keras is to load by the right call.
_ENDINGS = {"keras-weights": ".weights.h5", "h5": ".h5", "h5-by-name": ".h5", "keras-archive": ".keras"}
# Weights that are to lie in several files beside an index.
_SHARDED = ".weights.json"


class Request(msgspec.Struct, frozen=True):
    """What was asked for; see the options of the command."""

    checkpoint: str
    out: str
    name: str | None = None
    builder: Builder | None = None
    to: str | None = None
    mapping: str | None = None
    epoch: int | None = None
    dry_run: bool = False


class Migrated(msgspec.Struct, frozen=True):
    """The answer about all files of one call.

    Attributes:
        model: the one that they are of now; `signature` is what its code builds.
        source: the file or folder that was named; `several` where it is a folder of checkpoints.
        out: where the results are; None where nothing was written.
    """

    model: str
    signature: Signature
    ways: tuple[Way, ...]
    source: str
    several: bool = False
    out: Path | None = None

    @property
    def errors(self) -> list[Way]:
        return [way for way in self.ways if way.error is not None]

    @property
    def exit_code(self) -> int:
        return 1 if self.errors else 0


def migrate(run: Run, request: Request, *, confirm: Callable[[Migrated], bool]) -> Migrated:
    """Carries a checkpoint, or all of a folder, into the model that the work tree builds.

    Args:
        confirm: asks a person about a guess, where neither a migration nor a mapping says what goes where.

    Raises:
        UsageError: no such file or model, an OUT that is there, a mapping that does not hold, wrong configuration.
        UncheckedError: no Python with TensorFlow, the model cannot be built, the disk refuses.
    """
    out = Path(request.out).absolute()
    files, several = checkpoint.files(request.checkpoint)
    if output.taken(out):
        raise UsageError(f"{request.out} exists already, and is never overwritten: name another OUT.")
    if request.to is not None and not several:
        _refuse(out, request.to, request.checkpoint)
    repository = run.repository
    project = builders.project(repository, request.builder)
    names = project.named([request.name] if request.name else [])
    reading = Reading(files, project.config.timeout)
    python = pythons.of_side(run, project.config, project.side)
    with Workshop(run) as workshop:
        read = reading.run(workshop, python)
        history_of = {name: history.read(repository, project.manifest_file(name)) for name in names}
        name = names[0] if len(names) == 1 else _likest(read, history_of)
        promised = project.manifest(name)
        if isinstance(promised, ManifestError):
            raise UsageError(f"{promised}")
        wanted = (*(project.config.models[name].restores or ()), *filter(None, [request.to]))
        order = BuildOrder(name, python, project.side, project.config, name, wanted)
        build = workshop.build([order])[name]
        if build.signature is None:
            raise UncheckedError(f"{name} could not be built: {build.failure}")
        planning = Planning(
            project,
            name,
            build.signature,
            history_of[name],
            lambda: history.read(repository, project.manifest_file(name), everywhere=True),
            request.to,
            request.mapping,
            request.epoch,
        )
        ways = [planning.way(file) for file in read]
        planned = Migrated(name, build.signature, tuple(ways), request.checkpoint, several)
        if planned.errors or request.dry_run or all(way.is_needless for way in ways):
            return planned
        if not several:
            _refuse(out, ways[0].path, request.checkpoint)
        if any(way.sure for way in ways) and not confirm(planned):
            return planned
        return _carry(workshop, order, planned, out)


def _refuse(out: Path, path: str, source: str) -> None:
    """Raises UsageError where OUT is called as no file of a restore path can be."""
    ending = _ENDINGS.get(path)
    if ending is None or out.name.endswith(ending) or (path == "keras-weights" and out.name.endswith(_SHARDED)):
        return
    if path == "keras-archive" and Path(source).is_dir():
        return  # an unzipped one, as the source is
    also = f", or {_SHARDED} for several" if path == "keras-weights" else ""
    raise UsageError(f"{path} is written to a file that ends in {ending}{also}: name OUT so.")


def _likest(read: Sequence[Checkpoint], history_of: Mapping[str, Sequence[history.Kept]]) -> str:
    """The model that the first readable file is of, as the manifests of all of them tell.

    Raises:
        UsageError: none or several.
    """
    file = next((file for file in read if file.signature is not None), None)
    found = [
        name
        for name, kept in history_of.items()
        if file is not None and any(_is_of(file, each.manifest.signature) for each in kept)
    ]
    if len(found) != 1:
        fitting = f"it fits {', '.join(found)}" if found else "it fits none that a manifest promises"
        raise UsageError(f"{read[0].name}: which model is it of? {fitting}: name one with --model.")
    return found[0]


def _is_of(file: Checkpoint, model: Signature) -> bool:
    kind, held = file.content
    return fit.fits(held, kind, model).is_complete


def _carry(workshop: Workshop, order: BuildOrder, planned: Migrated, out: Path) -> Migrated:
    """Makes all the files, and puts them in their place when every one has proved right."""
    with output.beside(out) as folder:
        work, made = folder / "work", folder / "made"
        work.mkdir()
        names = [_called(way) if planned.several else out.name for way in planned.ways]
        loads = [_load(way, planned.signature, name) for way, name in zip(planned.ways, names, strict=True)]
        carried = carrying.carry(workshop, order, loads, work)
        ways = tuple(
            msgspec.structs.replace(way, compared=done.compared, error=done.error)
            for way, done in zip(planned.ways, carried, strict=True)
        )
        done = msgspec.structs.replace(planned, ways=ways)
        if done.errors:
            return done
        saved = [result.saved for result in carried if result.saved is not None]
        if planned.several:
            made.mkdir()
            for name, file in zip(names, saved, strict=True):
                output.place(file, made / name)
            output.copy_state(Path(planned.ways[0].file.file).parent, made)
            output.place(made, out)
        else:
            output.place(saved[0], out)
        return msgspec.structs.replace(done, out=out)


def _load(way: Way, model: Signature, name: str) -> carrying.Load:
    """Args: name: what the result is called; it says whether Keras is to write one file or several."""
    route, path = way.crossing, way.path
    held = route.fit.held
    kind, _ = way.file.content
    of_checkpoint = path == "tf-checkpoint"
    return carrying.Load(
        way.file.file,
        kind,
        way.file.addresses,
        [
            (item.variable, item.saved, held[item.saved] if item.saved is not None else None, item.grow)
            for item in route.plan.placements
        ],
        path,
        route.fit.edge if of_checkpoint else None,
        tuple(_beside(way)) if of_checkpoint else (),
        tuple((way.file.tables[old], new, old in way.lookups.beside) for old, new in way.lookups.tables.items()),
        way.lookups.vocabularies,
        carrying.skipped(path, model),
        route.fit.parts,
        called=name if name.endswith(_SHARDED) or (path == "keras-archive" and _is_folder(name)) else None,
    )


def _beside(way: Way) -> Iterator[carrying.Beside]:
    """What a checkpoint holds beside the model, and what optimizers there keep for its variables."""
    stored = {variable.path: variable for variable in way.file.content[1].variables}
    going = [optimizer for optimizer in way.optimizers if optimizer.left is None]
    values = [(name, stored[name]) for name in way.beside]
    values += [(f"{one.edge}/{attribute}", value) for one in going for attribute, value in one.counters]
    for at, value in values:
        yield carrying.Beside(at, value.path, tuple(size or 0 for size in value.shape or ()), value.dtype)
    for one in going:
        for slot in one.slots:
            at = f"{one.edge}/{slot.list}"
            yield carrying.Beside(at, slot.saved, slot.shape, slot.dtype, slot.variable, one.trains, slot.grow)


def _is_folder(name: str) -> bool:
    return not name.endswith(_ENDINGS["keras-archive"])


def _called(way: Way) -> str:
    """The name of a result in a folder: that of the file, with the ending of what it is now."""
    name = way.file.name
    if name.endswith(_SHARDED) and way.path == "keras-weights":
        return name
    for ending in sorted((*_ENDINGS.values(), _SHARDED), key=len, reverse=True):
        name = name.removesuffix(ending)
    return name + _ENDINGS.get(way.path, "")
