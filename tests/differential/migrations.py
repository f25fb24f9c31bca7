"""Migrations held against real restores: what is proposed without open entries puts every value where it belongs.

Of each pair the base is really saved, and a migration is proposed as `update --migrate` does, by lines of source and by
what a restored model computes. The file is read and its values are placed and saved by the code of the head, as
`migrate` does, and that is really restored into another build. Every value of the base is found nowhere else, so that
each variable of the head shows which one it has got.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from differential import roles
from differential.frameworks import Fault, Oracle
from restore_guard.build import Observation, Witness
from restore_guard.building import carrying
from restore_guard.building.checkpoint import Checkpoint
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.judging import fit, placements
from restore_guard.judging.comparison import compare
from restore_guard.judging.evidence import outranked
from restore_guard.judging.proposal import propose
from restore_guard.judging.rivals import rivals
from restore_guard.promise.migrations import Migration
from restore_guard.restore_paths import restore_unchanged
from restore_guard.signature import Signature

PATHS = ("tf-checkpoint", "keras-weights", "h5", "keras-archive", "tf1-saver")
"""Those by which a file is written again; `h5-by-name` reads what `h5` writes."""
_READINGS = ("tf-checkpoint", "keras-weights", "h5")
_COLUMNS = ("pairs × paths", "carried", "values", "open", "refused", "wrong")

# {variable of the head: the one of the base that belongs in it, or None}; of a pair where that is known.
Rightful = Callable[[Signature, Signature], Mapping[str, str | None]]


@dataclass
class Count:
    """What came of pairs, by row: a framework, or a saving and a restoring one.

    Attributes:
        pairs: (base, head) of all, each of which counts once however often it is drawn.
    """

    rows: dict[str, Counter] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    refusals: Counter = field(default_factory=Counter)
    pairs: set[tuple[str, str]] = field(default_factory=set)

    def add(self, row: str, **counts: int) -> None:
        self.rows.setdefault(row, Counter()).update({"pairs × paths": counts.pop("tried", 1), **counts})

    def include(self, other: Count) -> None:
        for row, counts in other.rows.items():
            self.rows.setdefault(row, Counter()).update(counts)
        self.wrong += other.wrong
        self.refusals += other.refusals

    @property
    def all(self) -> Counter:
        return sum(self.rows.values(), Counter())

    def markdown(self) -> Iterator[str]:
        yield f"| framework | {' | '.join(_COLUMNS)} |"
        yield f"|---|{'---:|' * len(_COLUMNS)}"
        for row, counts in [*self.rows.items(), ("all", self.all)]:
            yield f"| {row} | {' | '.join(str(counts[column]) for column in _COLUMNS)} |"


@dataclass(frozen=True)
class _Pair:
    """A pair whose base is saved in a folder, with both signatures and the paths that it could be saved by."""

    row: str
    restorer: Oracle
    base: Path
    head: Path
    folder: str
    saved: Signature
    model: Signature
    paths: Sequence[str]

    def migration(self) -> Migration:
        """What `update --migrate` would write."""
        diff = Diff({"base.py": FileDiff("head.py", self.base.read_text(), self.head.read_text())})
        readings = [path for path in _READINGS if path in self.paths]
        (compared,) = compare(self.saved, self.model, readings or ["tf-checkpoint"], diff)
        seen = self.seen(readings, diff)
        if seen:
            witness = Witness({path: msgspec.convert(one, Observation) for path, one in seen.items()})
            compared, _ = outranked(compared, witness)
        return propose(compared, 1, "a test").migration

    def seen(self, readings: Sequence[str], diff: Diff) -> Mapping[str, Any]:
        """What a restored model computes; nothing where another version cannot read what was recorded."""
        doubts = msgspec.structs.asdict(rivals(self.saved, self.model, diff))
        try:
            asked = {"folder": self.folder, "paths": list(readings), "rivals": doubts}
            return self.restorer.ask("compare", source=str(self.head), **asked)["truth"]
        except Fault:
            return {}

    def load(self, path: str, file: Checkpoint, plan: placements.Plan) -> carrying.Load | str:
        """One file on its way, or why the command would refuse it."""
        if file.kind not in fit.WRITTEN_BY or file.signature is None:
            return "the file holds nothing that restores"
        found = fit.fits(file.signature, file.kind, self.saved)
        if not found.is_complete:
            return "its values cannot be told apart"
        if restore_unchanged(path, self.model).kind == "unsupported":
            return "the model cannot be saved by this path"
        if not restore_unchanged(path, self.model).certain:
            return "a layer's own code"
        plan = placements.of_file(plan, found.held)
        return carrying.Load(
            file.file,
            file.kind,
            file.addresses,
            [(item.variable, item.saved, found.held.get(item.saved), item.grow) for item in plan.placements],
            path,
            found.edge,
            skipped=carrying.skipped(path, self.model),
            parts=found.parts,
        )

    def carried(self, count: Count, rightful: Rightful | None) -> None:
        table = self.migration()
        if table.open:
            count.add(self.row, tried=len(self.paths), open=len(self.paths))
            return
        plan = placements.plan(self.saved, self.model, [table], strict=True)
        if plan.problems:
            count.add(self.row, tried=len(self.paths), wrong=len(self.paths))
            count.wrong.append(f"{self.row}: what is proposed does not hold: {plan.problems[0].message}")
            return
        loads = {}
        files = self.restorer.ask("read", folder=self.folder, paths=list(self.paths))
        for path, data in files.items():
            found = self.load(path, msgspec.convert(data, Checkpoint), plan)
            if isinstance(found, carrying.Load):
                loads[path] = found
            else:
                count.add(self.row, refused=1)
                count.refusals[f"{path}: {found}"] += 1
        belongs = rightful(self.saved, self.model) if rightful is not None else {}
        entries = {
            path: carrying.entry(load, Path(self.folder, f"new-{self.restorer.name}", path))
            for path, load in loads.items()
        }
        seen = self.restorer.ask("carry", source=str(self.head), folder=self.folder, entries=entries)
        for path, load in loads.items():
            wrong = _wrong(load, seen[path], belongs)
            values = sum(saved is not None for name, saved, _, _ in load.placements if name not in load.skipped)
            count.add(self.row, **({"wrong": 1} if wrong else {"carried": 1, "values": values}))
            if wrong:
                count.wrong.append(f"{self.row}, {path}: {wrong}")


def _wrong(load: carrying.Load, seen: Mapping[str, Any], belongs: Mapping[str, str | None]) -> str | None:
    """What a real restore of the result shows to be elsewhere than it should; None where all is right."""
    if seen["error"] is not None:
        return f"it raises {seen['error']}"
    for name, saved, _, grow in load.placements:
        if name in load.skipped or grow:  # what grew is found nowhere as it was
            continue
        got = seen["assigned"].get(name)
        if got != saved:
            return f"{name} got {got} instead of {saved}"
        if name in belongs and belongs[name] != got:
            return f"{name} got {got}, and {belongs[name]} belongs there"
    return None


def carry(
    count: Count,
    oracles: Mapping[str, Oracle],
    routes: Iterable[tuple[str, str]],
    pair: tuple[Path, Path],
    rightful: Rightful | None = None,
) -> None:
    """Carries checkpoints of a base into a head by every path and route, and counts what came of it."""
    chosen: dict[str, list[str]] = {}
    for one, other in routes:
        chosen.setdefault(one, []).append(other)
    with ThreadPoolExecutor(len(chosen)) as pool:
        work = [
            pool.submit(_from, oracles[one], [oracles[name] for name in others], pair, rightful)
            for one, others in chosen.items()
        ]
        for done in work:
            count.include(done.result())


def _from(saver: Oracle, restorers: Sequence[Oracle], pair: tuple[Path, Path], rightful: Rightful | None) -> Count:
    """One framework saves, others restore; a pair that one of them cannot build says nothing."""
    count, (base, head) = Count(), pair
    with tempfile.TemporaryDirectory() as folder:
        try:
            answer = saver.ask("save", source=str(base), folder=folder, paths=list(PATHS), outputs=True)
        except Fault as fault:
            count.refusals[_fault(fault)] += len(restorers)
            return count
        paths = [path for path in PATHS if path not in answer["unsupported"]]
        saved = msgspec.convert(answer["signature"], Signature)
        for restorer in restorers:
            row = " → ".join(oracle.framework.title for oracle in dict.fromkeys((saver, restorer)))
            try:
                described = restorer.ask("describe", source=str(head), folder=folder, archived=True)
                model = msgspec.convert(described["signature"], Signature)
                _Pair(row, restorer, base, head, folder, saved, model, paths).carried(count, rightful)
            except Fault as fault:
                count.refusals[_fault(fault)] += 1
    return count


def _fault(fault: Fault) -> str:
    return f"not built: {str(fault).strip().splitlines()[-1][:160]}"


def by_role(pair: roles.Pair) -> Rightful:
    """Which value belongs where in a pair whose layers have roles: the one of the same name in the same role."""

    def rightful(saved: Signature, model: Signature) -> dict[str, str | None]:
        olds = {(roles.role(item, pair.base), item.path.rpartition("/")[2]): item.path for item in saved.variables}
        return {
            item.path: olds.get((roles.role(item, pair.head), item.path.rpartition("/")[2]))
            for item in model.variables
            if roles.role(item, pair.head) is not None
        }

    return rightful
