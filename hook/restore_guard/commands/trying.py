"""Tries the migrations of a change: the base is really saved, migrated, and restored into the head by the load call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from restore_guard.building import carrying
from restore_guard.building.checkpoint import Checkpoint, Reading
from restore_guard.building.witnesses import saved_files
from restore_guard.building.workshop import BuildOrder, ModelTask, Workshop
from restore_guard.judging import fit, route
from restore_guard.judging.case import Case, paths_of
from restore_guard.judging.migrated import planned
from restore_guard.judging.placements import Plan, of_file
from restore_guard.result import Migrated


def try_migrations(cases: Mapping[str, Case], orders: Mapping[str, BuildOrder], workshop: Workshop) -> dict[str, Case]:
    """The cases with what really migrating shows where the migrations hold, and why it was not tried elsewhere."""
    found = dict(cases)
    for name, case in cases.items():
        plan = planned(case, case.base, case.head)
        if plan is not None and not plan.problems:
            results, failures = _Trial(case, plan, orders[f"base:{name}"], orders[f"head:{name}"], workshop).run()
            found[name] = replace(case, carried=results, uncarried=failures)
    return found


class _Trial:
    """One model."""

    def __init__(self, case: Case, plan: Plan, base: BuildOrder, head: BuildOrder, workshop: Workshop) -> None:
        self.case, self.plan, self.base, self.head, self.workshop = case, plan, base, head, workshop
        self.old, self.new = case.base, case.head
        self.folder = workshop.folder()

    def run(self) -> tuple[dict[str, Migrated], tuple[str, ...]]:
        """({restore path: Migrated}, why others were not tried)."""
        paths = paths_of(self.case)
        options = {"paths": list(paths), "folder": str(self.folder)}
        files, failures = saved_files(
            self.workshop.do([ModelTask("save", self.base, "save", options)], "saving old checkpoints")["save"]
        )
        loads: dict[str, carrying.Load] = {}
        results: dict[str, Migrated] = {}
        read = self.read(files)
        failures += tuple(f"{path}: what was saved cannot be read" for path in files if path not in read)
        for path, file in read.items():
            kind, signature = file.content
            found = fit.fits(signature, kind, self.old)
            if found.is_complete:
                loads[path] = self.load(path, file, kind, found)
            else:
                today = route.Promise(0, self.old, "the base")
                results[path] = Migrated("raises", "witnessed", route.difference(today, found))
        folder = self.workshop.folder()
        carried = carrying.carry(self.workshop, self.head, list(loads.values()), folder)
        for path, done in zip(loads, carried, strict=True):
            lost: Literal["partial", "raises"] = "partial" if done.wrong else "raises"
            results[path] = Migrated("restores" if done.error is None else lost, "witnessed", done.error)
        return results, tuple(f"migrating by {failure}" for failure in failures)

    def read(self, files: Mapping[str, str]) -> dict[str, Checkpoint]:
        read = Reading(list(files.values()), self.base.config.timeout).run(self.workshop, self.head.python)
        known = zip(files, read, strict=True)
        return {path: file for path, file in known if file.kind is not None and file.signature is not None}

    def load(self, path: str, file: Checkpoint, kind: str, found: fit.Fit) -> carrying.Load:
        plan = of_file(self.plan, found.held)
        return carrying.Load(
            file.file,
            kind,
            file.addresses,
            [
                (item.variable, item.saved, found.held.get(item.saved) if item.saved is not None else None, item.grow)
                for item in plan.placements
            ],
            path,
            found.edge,
            skipped=carrying.skipped(path, self.new),
            parts=found.parts,
            truth=str(self.folder),
        )
