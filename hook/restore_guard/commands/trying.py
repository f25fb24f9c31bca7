"""Tries the migrations of a change: the base is really saved, migrated, and restored into the head by the load call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from restore_guard.building import carrying
from restore_guard.building.checkpoint import Checkpoint, Reading
from restore_guard.building.witnesses import saved_files
from restore_guard.building.workshop import BuildOrder, ModelTask, Workshop
from restore_guard.change.repository import Repository
from restore_guard.errors import UncheckedError, UsageError
from restore_guard.judging import edited, fit, route
from restore_guard.judging.case import Case, paths_of
from restore_guard.judging.migrated import planned
from restore_guard.judging.placements import Plan, of_file
from restore_guard.promise.project import load
from restore_guard.result import Migrated
from restore_guard.signature import Signature


def try_migrations(cases: Mapping[str, Case], orders: Mapping[str, BuildOrder], workshop: Workshop) -> dict[str, Case]:
    """The cases with what really migrating shows where the migrations hold, and why it was not tried elsewhere."""
    found = dict(cases)
    for name, case in cases.items():
        plan = planned(case, case.base, case.head)
        if plan is not None and not plan.problems:
            base, head = orders[f"base:{name}"], orders[f"head:{name}"]
            results, failures = _Trial(paths_of(case), case.base, case.head, plan, base, head, workshop).run()
            found[name] = replace(case, carried=results, uncarried=failures)
    return found


def try_edited(
    cases: Mapping[str, Case], orders: Mapping[str, BuildOrder], workshop: Workshop, repository: Repository
) -> dict[str, Case]:
    """The cases with what migrating checkpoints of older epochs to the base shows, where edits make that possible."""
    found = dict(cases)
    for name, case in cases.items():
        for earlier, plan in edited.untried(case):
            if earlier.commit is None:
                continue
            old, base = earlier.promise.signature, orders[f"base:{name}"]
            try:
                side = repository.commit(earlier.commit)
                project = load(repository, side)
                project.named([name])
            except (UsageError, UncheckedError) as error:
                found[name] = replace(found[name], uncarried=(*found[name].uncarried, f"{earlier.label}: {error}"))
                continue
            paths = [path for path in paths_of(case) if path in earlier.promise.restores]
            order = BuildOrder(f"old:{name}:{earlier.commit}", base.python, side, project.config, name, paths)
            results, failures = _Trial(paths, old, case.base, plan, order, base, workshop).run()
            tried = {**found[name].carried_earlier, **({earlier.label: results} if results else {})}
            found[name] = replace(found[name], carried_earlier=tried, uncarried=(*found[name].uncarried, *failures))
    return found


class _Trial:
    """One model, from one build into another."""

    def __init__(
        self,
        paths: Sequence[str],
        old: Signature,
        new: Signature,
        plan: Plan,
        base: BuildOrder,
        head: BuildOrder,
        workshop: Workshop,
    ) -> None:
        self.paths, self.plan, self.base, self.head, self.workshop = paths, plan, base, head, workshop
        self.old, self.new = old, new
        self.folder = workshop.folder()

    def run(self) -> tuple[dict[str, Migrated], tuple[str, ...]]:
        """({restore path: Migrated}, why others were not tried)."""
        options = {"paths": list(self.paths), "folder": str(self.folder)}
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
