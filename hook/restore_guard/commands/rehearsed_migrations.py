"""Which losses of a rehearsed move get across: the migration that would be proposed is tried for real."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.commands.proposing import proposed
from restore_guard.commands.trying import try_migrations
from restore_guard.judging.case import Case, base_signature, is_small, obstacle, paths_of, readable, saved_signature
from restore_guard.judging.migrated import outcomes
from restore_guard.promise.manifest import Accepted, Manifest
from restore_guard.promise.migrations import Migrations
from restore_guard.result import ModelResult, PathResult
from restore_guard.rules.shared.words import not_really_tried


def with_migrations(
    judged: Mapping[str, ModelResult], cases: Mapping[str, Case], orders: Mapping[str, BuildOrder], workshop: Workshop
) -> dict[str, ModelResult]:
    """The results with what becomes of checkpoints that are migrated, on the paths that lose something."""
    found, tried = dict(judged), {}
    for name, model in judged.items():
        case = _with_migration(cases[name]) if any(map(_is_loss, model.restores.values())) else None
        if case is None or not isinstance(case.head_migrations, Migrations):
            continue
        if count := len(case.head_migrations.tables[0].open):
            note = f"A migration would leave {count} of its entries open, for a person to decide."
            found[name] = msgspec.structs.replace(model, notes=(*model.notes, note))
        else:
            tried[name] = case
    real = {name: case for name, case in tried.items() if obstacle(case) is None and is_small(case)}
    for name, case in {**tried, **try_migrations(real, orders, workshop)}.items():
        found[name] = _told(found[name], case)
    return found


def _told(model: ModelResult, case: Case) -> ModelResult:
    saved = saved_signature(readable(case.base_manifest), base_signature(case), paths_of(case))
    known = outcomes(case, saved, case.head) if saved is not None else {}
    restores = {
        path: msgspec.structs.replace(result, migration=known.get(path)) if _is_loss(result) else result
        for path, result in model.restores.items()
    }
    notes = (*model.notes, *(not_really_tried(failure) for failure in case.uncarried))
    return msgspec.structs.replace(model, restores=restores, notes=notes)


def _is_loss(path: PathResult) -> bool:
    return path.outcome in ("partial", "raises")


def _with_migration(case: Case) -> Case | None:
    """The case as if the move had brought the migration that its losses ask for; None where a side does not build."""
    base, head = base_signature(case), case.head_build.signature
    if base is None or head is None:
        return None
    promise = readable(case.base_manifest) or Manifest(case.name, paths_of(case), base)
    table = proposed(case, promise, "rehearsed").migration
    history = (*promise.history, Accepted(table.new, table.reason, {}))
    return replace(
        case,
        base_manifest=promise,
        head_manifest=msgspec.structs.replace(promise, epoch=table.new, signature=head, history=history),
        head_migrations=Migrations("", "", (table,)),
    )
