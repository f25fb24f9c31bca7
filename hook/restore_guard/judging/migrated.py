"""A break that a migration of the same change carries old checkpoints across. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from restore_guard.change.diffs import Place
from restore_guard.judging import edited
from restore_guard.judging.case import Case, paths_of, readable
from restore_guard.judging.edited import chosen
from restore_guard.judging.placements import Plan, plan
from restore_guard.promise.manifest import Manifest, since
from restore_guard.promise.migrations import Migration, MigrationError, Migrations
from restore_guard.restore_paths import restore_unchanged
from restore_guard.result import Migrated
from restore_guard.rules.shared.facts import Facts, Fault, Step
from restore_guard.signature import Signature


def tables(case: Case) -> tuple[Migration, ...]:
    """The migrations that the change brings, from the base's epoch to the head's; empty where one is missing."""
    base = readable(case.base_manifest)
    return _since(case, base) if base is not None else ()


def carries(case: Case, promise: Manifest, head: Signature) -> bool:
    """Whether migrations lead from an older promise to the head."""
    steps = _since(case, promise)
    return bool(steps) and not plan(promise.signature, head, steps).problems


def _since(case: Case, promise: Manifest) -> tuple[Migration, ...]:
    head = readable(case.head_manifest)
    return chosen(case.head_migrations, since(promise, head.history)) if head is not None else ()


def planned(case: Case, saved: Signature, head: Signature) -> Plan | None:
    """What the change's migrations do with a checkpoint of the base; None where it brings none."""
    steps = tables(case)
    return plan(saved, head, steps, strict=len(steps) == 1) if steps else None


def outcomes(case: Case, saved: Signature, head: Signature) -> dict[str, Migrated]:
    """{restore path: what becomes of its checkpoints}; empty where the change brings no migration that holds."""
    found = planned(case, saved, head)
    if found is None or found.problems:
        return {}
    return {path: case.carried.get(path) or _simulated(path, saved, head) for path in paths_of(case)}


def with_migrations(case: Case, saved: Signature | None, head: Signature, facts: Facts) -> Facts:
    """What is known of the head's manifest, with what is wrong with its migrations, or which breaks they carry."""
    found = case.head_migrations
    if isinstance(found, MigrationError):
        fault = Fault(f"The migrations cannot be read: {found.message}", Place(found.file, found.line))
        return replace(facts, faults=(fault,))
    spoilt = edited.faults(case)
    result = planned(case, saved, head) if saved is not None else None
    if result is None or saved is None or not isinstance(found, Migrations):
        return replace(facts, faults=(*facts.faults, *spoilt))
    steps = tables(case)
    places = [Place(found.file, found.line(step)) for step in steps]
    failed = [
        Fault(f"{path}: a migrated checkpoint does not restore completely: {migrated.error}", places[0])
        for path, migrated in outcomes(case, saved, head).items()
        if migrated.outcome != "restores"
    ]
    return replace(
        facts,
        faults=(*(edited.fault(found, problem) for problem in result.problems), *failed, *spoilt),
        # The break is told as one that is carried across, and not as one that is accepted.
        accepted=facts.accepted if result.problems else (),
        steps=()
        if result.problems
        else tuple(Step(step.old, step.new, step.reason, at) for step, at in zip(steps, places, strict=True)),
    )


def _simulated(path: str, saved: Signature, head: Signature) -> Migrated:
    for side, what in ((saved, "read"), (head, "written")):
        itself = restore_unchanged(path, side)
        if itself.kind == "unsupported":
            return Migrated("raises", error=f"{itself.error}")
        if not itself.certain:
            return Migrated("raises", error=f"a layer's variables are {what} by code of its own")
    return Migrated("restores")
