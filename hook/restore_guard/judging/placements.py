"""Where each value of an old checkpoint goes: migrations applied to the variables of two models. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

import msgspec
from msgspec.structs import replace

from restore_guard.judging.slots import Slot, of_both
from restore_guard.promise.migrations import Fill, Migration, Rename, quoted
from restore_guard.promise.patterns import matches, rename
from restore_guard.restore_paths import keras_weights, tf_checkpoint
from restore_guard.restore_paths.outcome import compatible
from restore_guard.rules.shared.words import shape
from restore_guard.signature import Signature, Variable

Shape = Sequence[int | None] | None


class Placement(msgspec.Struct, frozen=True):
    """One variable of the model.

    Attributes:
        saved: the saved variable whose value it gets; None where it keeps its initial value.
        grow: (axis, fill) for each axis along which it is longer than the saved value.
    """

    variable: str
    saved: str | None = None
    grow: tuple[tuple[int, Fill], ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """Why migrations do not say where everything goes; `words` stand in the line of `migration` that it is about."""

    migration: Migration | None
    message: str
    words: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """What becomes of every variable of either side; `problems` are what keeps it from being carried out."""

    placements: tuple[Placement, ...] = ()
    dropped: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Value(msgspec.Struct, frozen=True):
    """A saved value on its way through the epochs; `grows` and `cast` are what migrations said of it.

    `renamed` is the last one that gave it another name, and what stands in the line that did it.
    """

    saved: str
    grows: tuple[tuple[int, Fill], ...] = ()
    cast: bool = False
    renamed: tuple[Migration, tuple[str, ...]] | None = None


def plan(old: Signature, new: Signature, migrations: Sequence[Migration], *, strict: bool = False) -> Plan:
    """Where the values of a checkpoint of `old` go in `new`.

    Args:
        migrations: those of a chain, the oldest first; without any, everything has to be as it was.
        strict: `old` and `new` are the two sides of the only migration, so that each of its patterns must match.
    """
    return _Planning(old, new, migrations).run(strict)


class _Planning(msgspec.Struct, dict=True):
    old: Signature
    new: Signature
    migrations: Sequence[Migration]
    problems: list[Problem] = msgspec.field(default_factory=list)

    def run(self, strict: bool) -> Plan:
        old_slots, new_slots = of_both(self.old, self.new)
        olds = {item.path: item for item in self.old.variables if item.path not in old_slots}
        news = {item.path: item for item in self.new.variables if item.path not in new_slots}
        self.undecided()
        if strict:  # first, as a misspelt pattern is behind whatever is open then
            for migration in self.migrations:
                self.idle(migration)
        values, dropped = self.carried(olds)
        for name, value in values.items():
            if name not in news:
                self.homeless(olds[value.saved], name, value)
        placements = {path: self.placed(news[path], olds, values.get(path)) for path in news}
        placements |= self.slots(old_slots, new_slots, placements)
        used = {placement.saved for placement in placements.values()}
        order = [placements[item.path] for item in self.new.variables]
        dropped = {*dropped, *(path for path in old_slots if path not in used)}
        left = [item.path for item in self.old.variables if item.path in dropped and item.path not in used]
        return Plan(tuple(order), tuple(left), tuple(self.problems))

    def problem(self, message: str, *words: str, of: Migration | None = None) -> None:
        blamed = of or (self.migrations[-1] if self.migrations else None)
        self.problems.append(Problem(blamed, message, words))

    @cached_property
    def asked(self) -> set[str]:
        """What is open, and told already."""
        return {entry.name for migration in self.migrations for entry in migration.open}

    def undecided(self) -> None:
        for migration in self.migrations:
            for entry in migration.open:
                what = "the saved value" if entry.saved is not None else "the variable"
                self.problem(
                    f"{what} {entry.name} is open: decide ({entry.choose}) and remove this entry.",
                    quoted(entry.name),
                    "choose",
                    of=migration,
                )

    # --- what is not a slot -----------------------------------------------------------------------------------

    def carried(self, olds: Mapping[str, Variable]) -> tuple[dict[str, _Value], set[str]]:
        """({name after all migrations: the value}, saved variables that are dropped)."""
        values, dropped = {path: _Value(path) for path in olds}, set()
        for migration in self.migrations:
            moved: dict[str, _Value] = {}
            for name, value in values.items():
                targets = _targets(migration, name)
                drops = [pattern for pattern in migration.drop if matches(pattern, name)]
                if drops and targets:
                    self.problem(f"{name} is both renamed and dropped.", quoted(drops[0]), of=migration)
                elif drops:
                    dropped.add(value.saved)
                    continue
                for target in targets or (name,):
                    if target in moved:
                        self.problem(
                            f"{moved[target].saved} and {value.saved} both go to {target}: drop one of them.",
                            *_words(migration, name, target),
                            of=migration,
                        )
                    way = (migration, _words(migration, name, target)) if target in targets else value.renamed
                    moved[target] = _with_changes(migration, target, replace(value, renamed=way))
            values = moved
        return values, dropped

    def placed(self, new: Variable, olds: Mapping[str, Variable], value: _Value | None) -> Placement:
        entry = self.initial(new.path)
        if new.path in self.asked:
            return Placement(new.path)
        if value is None or (new.seed and not _same_form(olds[value.saved], new)):
            if entry is None and not new.seed:
                self.problem(f"{new.path} is open: no saved value goes to it. Rename one to it, or list it in initial.")
            return Placement(new.path)
        if entry is not None:
            migration, pattern = entry
            self.problem(
                f"{new.path} is in initial and gets the value of {value.saved}.", quoted(pattern), of=migration
            )
        old = olds[value.saved]
        self.check_type(old, new, value)
        return Placement(new.path, old.path, self.growth(old, new, value))

    def initial(self, path: str) -> tuple[Migration, str] | None:
        """The entry by which a variable of the last epoch keeps its initial value, under whatever name it had."""
        names = {path}
        for migration in reversed(self.migrations):
            for pattern in migration.initial:
                if any(matches(pattern, name) for name in names):
                    return migration, pattern
            names = {before for name in names for before in _origins(migration, name)}
        return None

    def check_type(self, old: Variable, new: Variable, value: _Value) -> None:
        if old.dtype == new.dtype or old.seed:
            return
        if "string" in (old.dtype, new.dtype):
            self.problem(f"{new.path} is {new.dtype} and {old.path} {old.dtype}: such values cannot be converted.")
        elif not value.cast:
            self.problem(f"{new.path} was {old.dtype} and is now {new.dtype}: list it in cast.", quoted(new.path))

    def growth(self, old: Variable, new: Variable, value: _Value) -> tuple[tuple[int, Fill], ...]:
        if compatible(old.shape, new.shape):
            if value.grows and old.shape == new.shape:
                self.problem(f"{new.path} does not grow: it has the same shape on both sides.", quoted(new.path))
            return ()
        shapes = f"{shape(old)} is now {shape(new)}"
        axes = [axis for axis, _ in value.grows]
        if not axes:
            self.problem(
                f"{new.path}: shape {shapes}. Where it only grew along one axis, list it in grow; else drop the "
                "saved value and list it in initial.",
                quoted(new.path),
            )
        elif not grows(old.shape, new.shape, axes):
            along = " and ".join(map(str, axes))
            self.problem(f"{new.path}: shape {shapes}, which is not growing along axis {along}.", quoted(new.path))
        return value.grows

    def homeless(self, old: Variable, name: str, value: _Value) -> None:
        if old.seed or old.path in self.asked:
            return
        other = f" (now {name})" if name != old.path else ""
        migration, words = value.renamed or (None, ())
        message = f"{old.path}{other} goes to no variable of the model: rename it, or list it in drop."
        self.problem(message, *words, of=migration)

    # --- slots ------------------------------------------------------------------------------------------------

    def slots(
        self, old: Mapping[str, Slot], new: Mapping[str, Slot], placements: Mapping[str, Placement]
    ) -> dict[str, Placement]:
        """A slot goes with its variable; what is said of the slots of a whole optimizer counts as well."""
        lists = {path: names for path, slot in old.items() if (names := self.list_now(path, slot.group)) is not None}
        known = {(now, old[path].variable): path for path, (_, now) in lists.items()}
        before = {item.path: item.shape for item in self.old.variables if item.path in old}
        now = {item.path: item.shape for item in self.new.variables if item.path in new}
        found = {}
        for path, slot in new.items():
            whose = placements[slot.variable]
            source = known.get((slot.group, whose.saved)) if whose.saved is not None else None
            more = longer(before[source], now[path]) if source is not None and whose.grow else ()
            found[path] = Placement(path, source, more)
            if source is None and whose.saved is not None and self.initial(path) is None:
                self.problem(f"{path} is open: no saved slot belongs to it. List {slot.group}/** in initial.")
        here = {slot.group for slot in new.values()}
        for group in sorted({last for _, last in lists.values()} - here):
            listed = next(earlier for earlier, last in lists.values() if last == group)
            self.problem(f"{group}/0 goes to no variable of the model: list {listed}/** in drop.")
        return found

    def list_now(self, path: str, group: str) -> tuple[str, str] | None:
        """The names of the list of a slot before the last migration and after; None where one drops the slot."""
        rest, before = path.removeprefix(group), group
        for migration in self.migrations:
            before = group
            if any(matches(pattern, f"{group}{rest}") for pattern in migration.drop):
                return None
            group = moved_group(group, migration.rename)
        return before, group

    # --- what a migration says for nothing --------------------------------------------------------------------

    def idle(self, migration: Migration) -> None:
        """Patterns that match nothing: a typing error, or the leftover of another change."""
        olds, news = _named(self.old), {*_named(self.new)}

        def refuse(pattern: str, where: str, *words: str) -> None:
            self.problem(f'"{pattern}" matches no variable of the {where} model.', *words, of=migration)

        for entry in migration.rename:
            words = quoted(entry.old), quoted(entry.new)
            targets = [target for path in olds if (target := rename(entry.old, entry.new, path)) is not None]
            if not targets:
                refuse(entry.old, "old", *words)
            elif not news.intersection(targets):
                refuse(entry.new, "new", *words)
        for pattern in migration.drop:
            if not any(matches(pattern, path) for path in olds):
                refuse(pattern, "old", quoted(pattern))
        for pattern in (*migration.initial, *migration.cast, *(entry.variable for entry in migration.grow)):
            if not any(matches(pattern, path) for path in news):
                refuse(pattern, "new", quoted(pattern))


def _named(model: Signature) -> list[str]:
    """All that a migration may name: variables, hash tables, lookup layers with a vocabulary."""
    tables = tf_checkpoint.states(model.object_graph).values()
    vocabularies = keras_weights.save(model.keras_tree).vocabularies if model.keras_tree is not None else ()
    return [*(variable.path for variable in model.variables), *tables, *vocabularies]


def moved_group(group: str, renames: Iterable[Rename]) -> str:
    """The name of an optimizer's list of slots after renamings: it goes where they send what is in it."""
    slot = f"{group}/0"
    return next((target for entry in renames if (target := rename(entry.old, entry.new, slot))), slot).rpartition("/")[
        0
    ]


def grows(old: Shape, new: Shape, axes: Sequence[int]) -> bool:
    """Whether a shape is another one that got longer along some axes, and is else the same."""
    if old is None or new is None or len(old) != len(new):
        return False
    return all(
        before is not None and after is not None and (after > before if axis in axes else after == before)
        for axis, (before, after) in enumerate(zip(old, new, strict=True))
    )


def longer(old: Shape, new: Shape) -> tuple[tuple[int, Fill], ...]:
    """The axes along which the slot of a variable that grew is longer; its new places begin with zero."""
    if old is None or new is None or len(old) != len(new):
        return ()
    return tuple((axis, "zeros") for axis, (before, after) in enumerate(zip(old, new, strict=True)) if before != after)


def of_file(found: Plan, held: Collection[str]) -> Plan:
    """The plan for a file that holds only some saved variables (no optimizer): the others' places stay as they are."""
    kept = (item if item.saved is None or item.saved in held else Placement(item.variable) for item in found.placements)
    return replace(found, placements=tuple(kept), dropped=tuple(path for path in found.dropped if path in held))


def _targets(migration: Migration, name: str) -> list[str]:
    found = (rename(entry.old, entry.new, name) for entry in migration.rename)
    return list(dict.fromkeys(target for target in found if target is not None))


def _origins(migration: Migration, name: str) -> set[str]:
    """The names that a variable may have had before a migration."""
    before = {old for entry in migration.rename if (old := rename(entry.new, entry.old, name)) is not None}
    return before if _targets(migration, name) else {*before, name}


def _words(migration: Migration, old: str, new: str) -> tuple[str, ...]:
    """What stands in the line by which a name became another."""
    for entry in migration.rename:
        if rename(entry.old, entry.new, old) == new:
            return quoted(entry.old), quoted(entry.new)
    return ()


def _with_changes(migration: Migration, name: str, value: _Value) -> _Value:
    for entry in migration.grow:
        if matches(entry.variable, name):
            earlier = tuple(grown for grown in value.grows if grown[0] != entry.axis)
            value = replace(value, grows=(*earlier, (entry.axis, entry.fill)))
    return replace(value, cast=value.cast or any(matches(pattern, name) for pattern in migration.cast))


def _same_form(old: Variable, new: Variable) -> bool:
    return (old.shape, old.dtype) == (new.shape, new.dtype)
