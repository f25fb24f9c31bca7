"""A break that a migration of the same change carries old checkpoints across. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from restore_guard.change.diffs import Place
from restore_guard.judging.case import Case, paths_of, readable
from restore_guard.judging.placements import Plan, Problem, plan
from restore_guard.promise.manifest import Accepted, Manifest, since
from restore_guard.promise.migrations import Found, Migration, MigrationError, Migrations
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
    chosen = _since(case, promise)
    return bool(chosen) and not plan(promise.signature, head, chosen).problems


def _since(case: Case, promise: Manifest) -> tuple[Migration, ...]:
    head = readable(case.head_manifest)
    return _chosen(case.head_migrations, since(promise, head.history)) if head is not None else ()


def _chosen(known: Found, entries: Sequence[Accepted]) -> tuple[Migration, ...]:
    """The migrations over accepted breaks; empty where one is missing."""
    found = [known.start(entry.epoch - 1) for entry in entries] if isinstance(known, Migrations) else []
    return tuple(table for table in found if table is not None) if None not in found else ()


def _spoilt(case: Case) -> tuple[Fault, ...]:
    """What the change makes of migrations by which checkpoints of a release got across before it."""
    base, head, known = readable(case.base_manifest), readable(case.head_manifest), case.base_migrations
    if base is None or head is None or not isinstance(known, Migrations) or case.head_migrations == known:
        return ()
    new, found = since(base, head.history), []
    for release in case.releases:
        old = release.promise.signature
        steps = _chosen(known, since(release.promise, base.history))
        if not steps or plan(old, base.signature, steps).problems:
            continue
        entries = [entry for entry in since(release.promise, head.history) if entry not in new]
        edited = _chosen(case.head_migrations, entries)
        said = f"Checkpoints of {release.label} got across before this change, and no longer do"
        if not isinstance(case.head_migrations, Migrations) or not edited:
            found.append(Fault(f"{said}: a migration on their way is gone.", Place(known.file, 1)))
        elif problems := plan(old, base.signature, edited).problems:
            found.append(_fault(case.head_migrations, problems[0], said))
    return tuple(found)


def planned(case: Case, saved: Signature, head: Signature) -> Plan | None:
    """What the change's migrations do with a checkpoint of the base; None where it brings none."""
    chosen = tables(case)
    return plan(saved, head, chosen, strict=len(chosen) == 1) if chosen else None


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
    spoilt = _spoilt(case)
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
        faults=(*(_fault(found, problem) for problem in result.problems), *failed, *spoilt),
        # The break is told as one that is carried across, and not as one that is accepted.
        accepted=facts.accepted if result.problems else (),
        steps=()
        if result.problems
        else tuple(Step(step.old, step.new, step.reason, at) for step, at in zip(steps, places, strict=True)),
    )


def _fault(found: Migrations, problem: Problem, said: str = "The migration does not hold") -> Fault:
    line = found.line(problem.migration, *problem.words) if problem.migration is not None else 1
    return Fault(f"{said}: {problem.message}", Place(found.file, line))


def _simulated(path: str, saved: Signature, head: Signature) -> Migrated:
    for side, what in ((saved, "read"), (head, "written")):
        itself = restore_unchanged(path, side)
        if itself.kind == "unsupported":
            return Migrated("raises", error=f"{itself.error}")
        if not itself.certain:
            return Migrated("raises", error=f"a layer's variables are {what} by code of its own")
    return Migrated("restores")
