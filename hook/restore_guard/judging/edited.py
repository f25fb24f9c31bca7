"""Migrations that are edited after they were committed: values of old checkpoints go where they went before. Pure.

No digest of them is kept anywhere: what they did before the change is held against what they do after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from restore_guard.change.diffs import Place
from restore_guard.judging import lookups
from restore_guard.judging.case import Case, readable
from restore_guard.judging.placements import Placement, Plan, Problem, plan
from restore_guard.promise.manifest import Accepted, Earlier, since
from restore_guard.promise.migrations import Found, Migration, MigrationError, Migrations, quoted
from restore_guard.promise.patterns import matches, rename
from restore_guard.rules.shared.facts import Fault
from restore_guard.signature import Signature

_WAY_OUT = (
    "Take the edit back, as files that were migrated already went the old way; where that was wrong, ignore "
    "migration-invalid once, with the reason"
)


def faults(case: Case) -> tuple[Fault, ...]:
    """What the change makes of the migrations from older epochs, at most one fault a line."""
    found: dict[Place, Fault] = {}
    for ways in _edited(case):
        for each in _of(case, ways):
            found.setdefault(each.place, each)
    return tuple(found.values())


def untried(case: Case) -> list[tuple[Earlier, Plan]]:
    """What carries older checkpoints since this change, and has not been tried on one: nothing is there to compare."""
    return [
        (ways.earlier, ways.now)
        for ways in _edited(case)
        if ways.carries and not ways.carried and ways.earlier.label not in case.carried_earlier
    ]


def simulated(case: Case) -> list[str]:
    """The same in words."""
    return [
        f"The migrations from {earlier.label} are edited and say where everything goes: that was not tried on a real "
        "checkpoint."
        for earlier, _ in untried(case)
    ]


def untold(case: Case) -> tuple[str, ...]:
    """Edited migrations that nobody can judge, as what they start from is not known; in words."""
    base = readable(case.base_manifest)
    if base is None or isinstance(case.head_migrations, MigrationError):
        return ()
    kept = [entry for earlier in _earlier(case) for entry in since(earlier.promise, base.history)]
    return tuple(
        f"The migration from epoch {now.epoch - 1} to {now.epoch} is edited and cannot be judged: git's history has "
        f"no manifest of epoch {was.epoch - 1} here. Where the clone is shallow, git fetch --unshallow brings it."
        for was, now in zip(base.history, _kept(case), strict=False)
        if was not in kept
        if _entries(_start(case.base_migrations, was)) != _entries(_start(case.head_migrations, now))
    )


def are_edited(before: Found, after: Found) -> bool:
    """Whether migrations of either side say something that those of the other do not."""
    said, says = (
        {(table.old, _entries(table)) for table in found.tables} if isinstance(found, Migrations) else set()
        for found in (before, after)
    )
    return said != says


def chosen(known: Found, entries: Sequence[Accepted]) -> tuple[Migration, ...]:
    """The migrations over accepted breaks; empty where one is missing."""
    found = [known.start(entry.epoch - 1) for entry in entries] if isinstance(known, Migrations) else []
    return tuple(table for table in found if table is not None) if None not in found else ()


def fault(found: Migrations, problem: Problem, said: str = "The migration does not hold") -> Fault:
    line = found.line(problem.migration, *problem.words) if problem.migration is not None else 1
    return Fault(f"{said}: {problem.message}", Place(found.file, line))


def _earlier(case: Case) -> list[Earlier]:
    """The promises of releases, and those of git's history that are not the same."""
    promises = [release.promise for release in case.releases]
    commits = {promises.index(each.promise): each.commit for each in case.earlier if each.promise in promises}
    released = [
        Earlier(release.label, release.promise, commits.get(number)) for number, release in enumerate(case.releases)
    ]
    return [*released, *(earlier for earlier in case.earlier if earlier.promise not in promises)]


def _kept(case: Case) -> list[Accepted]:
    """The breaks of the head's history that the base has too: a merge may have given them other numbers."""
    base, head = readable(case.base_manifest), readable(case.head_manifest)
    new = since(base, head.history) if base is not None and head is not None else ()
    return [entry for entry in head.history if entry not in new] if head is not None else []


def _start(known: Found, entry: Accepted) -> Migration | None:
    return known.start(entry.epoch - 1) if isinstance(known, Migrations) else None


class _Ways(msgspec.Struct, frozen=True):
    """How one older promise's checkpoints get to the base, by the migrations of either side."""

    earlier: Earlier
    base: Signature
    before: tuple[Migration, ...]
    after: tuple[Migration, ...]
    was: Plan
    now: Plan

    @property
    def carried(self) -> bool:
        """Whether they got across before the change."""
        return bool(self.before) and not self.was.problems

    @property
    def carries(self) -> bool:
        """Whether they do now."""
        return bool(self.after) and not self.now.problems


def _edited(case: Case) -> Iterator[_Ways]:
    """Those that the change makes other ones of."""
    base, head, found = readable(case.base_manifest), readable(case.head_manifest), case.head_migrations
    if base is None or head is None or isinstance(found, MigrationError):
        return
    kept = _kept(case)
    for earlier in _earlier(case):
        before = chosen(case.base_migrations, since(earlier.promise, base.history))
        after = chosen(found, [entry for entry in since(earlier.promise, head.history) if entry in kept])
        if list(map(_entries, before)) != list(map(_entries, after)):
            was, now = (plan(earlier.promise.signature, base.signature, steps) for steps in (before, after))
            yield _Ways(earlier, base.signature, before, after, was, now)


def _of(case: Case, ways: _Ways) -> Iterator[Fault]:
    """What is wrong with edited migrations."""
    found, label = case.head_migrations, ways.earlier.label
    lost = f"Checkpoints of {label} got across before this change, and no longer do"
    if not isinstance(found, Migrations) or not ways.after:
        file = case.base_migrations.file if isinstance(case.base_migrations, Migrations) else case.manifest_file
        yield from [Fault(f"{lost}: a migration on their way is gone.", Place(file, 1))] if ways.carried else []
    elif ways.carried and ways.now.problems:
        yield fault(found, ways.now.problems[0], lost)
    elif ways.carried:
        yield from _elsewhere(found, ways)
    elif ways.carries:
        for path, migrated in case.carried_earlier.get(label, {}).items():
            if migrated.outcome != "restores":
                said = f"{path}: a migrated checkpoint of {label} does not restore completely: {migrated.error}"
                yield Fault(said, Place(found.file, found.line(ways.after[0])))
    else:
        known = {problem.message for problem in ways.was.problems if ways.before}
        yield from (fault(found, problem) for problem in ways.now.problems if problem.message not in known)


def _elsewhere(found: Migrations, ways: _Ways) -> Iterator[Fault]:
    """The edited lines by which values go elsewhere than they did."""
    moved: dict[int, list[str]] = {}
    for names, sentence in _moved(ways):
        moved.setdefault(_line(found, ways.before, ways.after, names), []).append(sentence)
    for line, sentences in moved.items():
        more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
        said = f"Checkpoints of {ways.earlier.label} got across otherwise before this change"
        yield Fault(f"{said}: {sentences[0]}{more}. {_WAY_OUT}.", Place(found.file, line))


def _moved(ways: _Ways) -> Iterator[tuple[list[str], str]]:
    """(the names that it is about, what became of it) of each value that another place gets, or that gets another."""
    seeds = {variable.path for variable in ways.base.variables if variable.seed}
    for was, now in zip(ways.was.placements, ways.now.placements, strict=True):
        if was != now and was.variable not in seeds:
            names = [name for saved in (now.saved, was.saved) if saved for name in _names(saved, ways.after)]
            yield [was.variable, *names], f"{was.variable} {_got(was, now)}"
    there, here = (lookups.targets(ways.earlier.promise.signature, steps) for steps in (ways.before, ways.after))
    for address, target in there.items():
        if target != here[address]:
            went, goes = (f"to {at}" if at is not None else "nowhere" for at in (target, here[address]))
            yield _names(address, ways.after), f"what is in {address} went {went}, and now goes {goes}"


def _got(was: Placement, now: Placement) -> str:
    if was.saved == now.saved:
        fills = (" and ".join(f"{fill} along axis {axis}" for axis, fill in item.grow) for item in (was, now))
        return "grew by {}, and now by {}".format(*fills)
    before = f"got the value of {was.saved}" if was.saved is not None else "kept its initial value"
    value = "that" if was.saved is not None else "the value"
    after = f"gets {value} of {now.saved}" if now.saved is not None else "keeps its initial one"
    return f"{before}, and now {after}"


def _names(saved: str, steps: Sequence[Migration]) -> list[str]:
    """All names that a saved value has on its way."""
    names = [saved]
    for step in steps:
        found = [rename(entry.old, entry.new, name) for name in names for entry in step.rename]
        names += [name for name in found if name is not None]
    return names


def _line(found: Migrations, before: Sequence[Migration], after: Sequence[Migration], names: Collection[str]) -> int:
    """The line of the edited entry that is about most of some names; the table's first one where entries are gone."""
    steps = [(was, now) for was, now in zip(before, after, strict=False) if _entries(was) != _entries(now)]
    edited = [(now, entry) for was, now in steps for entry in sorted(_entries(now) - _entries(was))]
    if not edited:
        return found.line(steps[0][1] if steps else after[0])

    def about(item: tuple[Migration, tuple[str, ...]]) -> int:
        return sum(any(matches(pattern, name) for pattern in _patterns(item[1])) for name in names)

    table, entry = max(edited, key=about)
    return found.line(table, *map(quoted, _patterns(entry)))


def _entries(table: Migration | None) -> frozenset[tuple[str, ...]]:
    """All that a migration does, in no order and without its reason."""
    if table is None:
        return frozenset()
    return frozenset(
        [
            *(("rename", entry.old, entry.new) for entry in table.rename),
            *(("drop", pattern) for pattern in table.drop),
            *(("initial", pattern) for pattern in table.initial),
            *(("grow", entry.variable, str(entry.axis), entry.fill) for entry in table.grow),
            *(("cast", pattern) for pattern in table.cast),
            *(("open", entry.name) for entry in table.open),
        ]
    )


def _patterns(entry: tuple[str, ...]) -> tuple[str, ...]:
    """What an entry names, as it stands in its line."""
    return entry[1:3] if entry[0] == "rename" else entry[1:2]
