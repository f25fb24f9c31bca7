"""Old checkpoints carried into the model of today: placed and saved by one process, restored and compared by another.

The probe does it (`restore_guard.probe.migrate`); here it is asked for, and its word is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from restore_guard.build import Answer
from restore_guard.building import isolation
from restore_guard.building.workshop import BuildOrder, ModelTask, Workshop
from restore_guard.promise.around import edges
from restore_guard.restore_paths import restore_unchanged
from restore_guard.restore_paths.situations import optimizer_state
from restore_guard.signature import Signature

# Files that share a build; a progress bar moves once for each share.
_SHARE = 8
# How what is beside the model is called among its variables.
BESIDE = "beside the model: "


class Beside(msgspec.Struct, frozen=True):
    """A value of a file that goes along with the model.

    Attributes:
        at: the key of the names that lead to it in the result; for a slot, to the list that it is in.
        saved: what the file calls it; `shape` and `dtype` are those of the result.
        of: the variable of the model that it is a slot for, among those that an optimizer `trains`: all of the object
            of that path. None for a value of its own.
        grow: (axis, fill) of each axis along which it is longer than the file's.
    """

    at: str
    saved: str
    shape: tuple[int, ...]
    dtype: str
    of: str | None = None
    trains: str = ""
    grow: tuple[tuple[int, str], ...] = ()

    @property
    def name(self) -> str:
        """What it is called among the variables of the model."""
        return f"{BESIDE}{self.at}" + (f" of {self.of}" if self.of is not None else "")


class Load(msgspec.Struct, frozen=True):
    """One file on its way.

    Attributes:
        file, kind, addresses: as `checkpoint.Checkpoint` has them.
        placements: (variable, the saved variable or None, what the file calls it, (axis, fill) of each axis that grew).
        path: the restore path to save by.
        edge: the name under which a `tf-checkpoint` is to hold the model.
        beside: values of the file that go along with the model.
        tables: (what the names of its tensors begin with, its address in the result, whether that is beside the model)
            of each hash table.
        vocabularies: addresses of lookup layers whose vocabularies are the file's.
        skipped: variables that are not compared: what the path never writes, and the state of random generators.
        parts: {saved variable that is a part of what the file calls it: which one, as TensorFlow writes slices}.
        called: the name of the result where that says how Keras writes it: an index with shards, an unzipped folder.
        truth: where the task "save" has put the values that it saved, so that these are compared and not the file's.
    """

    file: str
    kind: str
    addresses: Mapping[str, str]
    placements: Sequence[tuple[str, str | None, str | None, Sequence[tuple[int, str]]]]
    path: str
    edge: str | None = None
    beside: tuple[Beside, ...] = ()
    tables: tuple[tuple[str, str, bool], ...] = ()
    vocabularies: tuple[str, ...] = ()
    skipped: frozenset[str] = frozenset()
    parts: Mapping[str, str] = msgspec.field(default_factory=dict)
    truth: str | None = None
    called: str | None = None


class Carried(msgspec.Struct, frozen=True):
    """What became of a file: where the new one lies and how many values were compared, or why there is none.

    Attributes:
        wrong: variables that did not hold what they should after the result was restored.
    """

    saved: Path | None = None
    compared: int = 0
    error: str | None = None
    wrong: tuple[str, ...] = ()


class _Placed(msgspec.Struct):
    error: str | None = None
    saved: str | None = None
    digests: dict[str, str] = {}
    uniform: dict[str, int] = {}


class _Verified(msgspec.Struct):
    error: str | None = None
    compared: int = 0
    wrong: tuple[str, ...] = ()


A = TypeVar("A", _Placed, _Verified)


def skipped(path: str, model: Signature) -> frozenset[str]:
    """The variables whose values a restore path does not carry, or that decide nothing.

    The state of an optimizer stays behind in an `.h5` of a whole model, of which only the layers are read.
    """
    never = restore_unchanged(path, model).initial
    left = optimizer_state(model) if path == "h5" and path in model.load.revives else ()
    return frozenset({*never, *left, *(variable.path for variable in model.variables if variable.seed)})


def carry(workshop: Workshop, order: BuildOrder, loads: Sequence[Load], folder: Path) -> list[Carried]:
    """Carries files into the model of an order, as many at once as there are processors.

    Args:
        folder: an existing one, in which each file gets a folder of its own.
    """
    entries = [entry(load, folder / str(number)) for number, load in enumerate(loads)]
    for each in entries:
        Path(each["folder"]).mkdir()
    placed = _ask(workshop, order, "place", entries, _Placed)
    done = [number for number, answer in enumerate(placed) if answer.error is None]
    further = [
        {**entries[number], "saved": answer.saved, "digests": answer.digests, "uniform": answer.uniform}
        for number, answer in enumerate(placed)
        if answer.error is None
    ]
    verified = dict(zip(done, _ask(workshop, order, "verify", further, _Verified), strict=True))
    return [_carried(answer, verified.get(number)) for number, answer in enumerate(placed)]


def entry(load: Load, folder: Path) -> dict[str, Any]:
    """What the probe is told of a file; its result goes into the folder."""
    addresses: dict[str, str | list[str]] = dict(load.addresses)
    placements = []
    for name, saved, kept, grow in load.placements:
        part = load.parts.get(saved) if saved is not None else None
        if kept is not None and part is not None:
            whole, kept = kept, f"{kept} {part}"
            addresses[kept] = [load.addresses[whole], part]
        placements.append([name, kept, [list(grown) for grown in grow]])
    return {
        "file": load.file,
        "kind": load.kind,
        "addresses": addresses,
        "path": load.path,
        "folder": str(folder),
        "placements": placements + [[item.name, item.saved, [list(one) for one in item.grow]] for item in load.beside],
        "skipped": sorted(load.skipped),
        "truth": load.truth,
        "called": load.called,
        "tables": [_table(load, *table) for table in load.tables],
        "vocabularies": list(load.vocabularies),
        "sources": {name: saved for name, saved, _, _ in load.placements},
        "root": {
            "edges": edges(load.edge) if load.edge is not None else [],
            "beside": [
                {
                    "name": item.name,
                    "edges": edges(item.at),
                    "shape": list(item.shape),
                    "dtype": item.dtype,
                    "of": item.of,
                    "trains": item.trains,
                }
                for item in load.beside
            ],
        },
    }


def _table(load: Load, prefix: str, address: str, beside: bool) -> dict[str, Any]:
    """Args: address: in the result; in the model there are no edges to the model itself."""
    names = edges(address)
    if not beside and load.edge is not None:
        names = names[len(edges(load.edge)) :]
    return {"name": f"{BESIDE if beside else ''}{address}", "prefix": prefix, "edges": names, "beside": beside}


def _ask(workshop: Workshop, order: BuildOrder, task: str, entries: Sequence[dict[str, Any]], kind: type[A]) -> list[A]:
    """The answers about files, in their order; many files share a task and so a build."""
    shares = list(_shares(entries))
    tasks = [ModelTask(f"{task}:{number}", order, task, {"files": share}) for number, share in enumerate(shares)]
    answers = workshop.do(tasks, "carrying checkpoints across")
    found: list[A] = []
    for each, share in zip(tasks, shares, strict=True):
        found += _answers(answers[each.id], len(share), kind)
    return found


def _shares(entries: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(entries), _SHARE):
        yield entries[start : start + _SHARE]


def _answers(answer: Answer, count: int, kind: type[A]) -> list[A]:
    if answer.failure is not None:
        return [kind(error=answer.failure)] * count
    try:
        found = [isolation.checked(item, kind) for item in isolation.checked(answer.data, list)]
    except ValueError as error:
        return [kind(error=f"the answer cannot be read: {error}")] * count
    return (
        found if len(found) == count else [kind(error="the answer is not about the files that were asked for")] * count
    )


def _carried(placed: _Placed, verified: _Verified | None) -> Carried:
    error = placed.error or (verified.error if verified is not None else None)
    if error is not None or verified is None or placed.saved is None:
        return Carried(error=error or "nothing was saved")
    if verified.wrong:
        names = ", ".join(verified.wrong[:3])
        return Carried(
            wrong=verified.wrong,
            error=f"after restoring the result, {len(verified.wrong)} of its variables hold another value than they "
            f"should ({names}): this is a fault of restore-guard or of a layer's own saving code",
        )
    return Carried(Path(placed.saved), verified.compared)
