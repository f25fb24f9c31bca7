"""The migration that a change asks for, as far as the correspondence of its variables tells. Pure.

What it cannot know becomes an open entry, with the choices: nothing is guessed in silence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

import msgspec

from restore_guard.change.diffs import Diff, place
from restore_guard.judging.comparison import Comparison
from restore_guard.judging.correspondence import Correspondence, shared
from restore_guard.judging.placements import grows, moved_group
from restore_guard.judging.slots import Slot, of_both
from restore_guard.promise.migrations import Grow, Migration, Open, Rename
from restore_guard.promise.patterns import matches, rename
from restore_guard.restore_paths.outcome import compatible
from restore_guard.rules.shared.view import alias_of
from restore_guard.rules.shared.words import renaming
from restore_guard.rules.shared.words import shape as form
from restore_guard.signature import Signature, Variable, leaf, owner

# How sure a pair is, the surest first.
OUTPUTS, LINE, NAME = "as its outputs show", "same line", "same name"
ONLY, REST = "only one of its shape", "same place, other name"


class Proposal(msgspec.Struct, frozen=True):
    """A migration, and why each of its entries says what it says: {pattern or name: reason}.

    Attributes:
        remarks: what real restores showed that was not expected, and why others could not be tried, in words.
    """

    migration: Migration
    why: Mapping[str, str]
    remarks: tuple[str, ...] = ()


def propose(compared: Comparison, epoch: int, reason: str) -> Proposal:
    """The migration from `epoch` to the next that carries `compared.saved` into `compared.model`."""
    shown = {new: old for roles in compared.roles.values() for new, old in roles.items()}
    return _Proposing(compared.saved, compared.model, compared.same, compared.diff, shown).run(epoch, reason)


class _Proposing(msgspec.Struct, dict=True):
    old: Signature
    new: Signature
    same: Correspondence
    diff: Diff
    shown: Mapping[str, str]
    why: dict[str, str] = msgspec.field(default_factory=dict)
    open: list[Open] = msgspec.field(default_factory=list)
    orders: dict[tuple[tuple[str, ...], tuple[str, ...]], Mapping[str, str]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.old_slots, self.new_slots = of_both(self.old, self.new)
        self.olds = _counted(self.old, self.old_slots)
        self.news = _counted(self.new, self.new_slots)
        pairs = ((new, old) for new, old in self.same.pairs() if new in self.news and old in self.olds)
        self.pairs = {self.shown.get(new, old): new for new, old in pairs}
        self.old_forms, self.new_forms = _forms(self.olds), _forms(self.news)
        self.loose_old = {old: self.olds[old] for old, new in self.pairs.items() if not self.is_settled(old, new)}
        self.loose_new = {self.pairs[old]: self.news[self.pairs[old]] for old in self.loose_old}

    def run(self, epoch: int, reason: str) -> Proposal:
        moved, grown, cast = self.kept()
        gone = [path for path in self.olds if path not in moved]
        fresh = [path for path in self.news if path not in {*moved.values()}]
        shared = dict(self.splits(fresh))
        fresh = [path for path in fresh if path not in shared]
        undecided = {entry.name for entry in self.open}
        drops = [path for path in gone if path not in undecided and not self.is_doubtful(path, fresh, self.news)]
        initial = [path for path in fresh if path not in undecided and not self.is_doubtful(path, gone, self.olds)]
        self.ask([path for path in gone if path not in drops], [path for path in fresh if path not in initial])
        targets = {old: [new] for old, new in moved.items()}
        for new, old in shared.items():
            targets.setdefault(old, []).append(new)
        renames = tuple(self.renames(targets))
        renames = (*self.moved_lists(renames), *renames)
        lost, made = self.changed_slots(targets, renames)
        migration = Migration(
            epoch,
            epoch + 1,
            reason,
            rename=renames,
            drop=tuple(_covering([*drops, *lost], [item.path for item in self.old.variables])),
            initial=tuple(_covering([*initial, *made], [item.path for item in self.new.variables])),
            grow=tuple(grown),
            cast=tuple(_covering(cast, list(self.news))),
            open=tuple(self.open),
        )
        return Proposal(migration, self.why)

    # --- pairs ------------------------------------------------------------------------------------------------

    def is_settled(self, old: str, new: str) -> bool:
        return new in self.shown or self.same.is_sure(new) or old == new

    def certainty(self, old: str, new: str) -> str | None:
        """How sure it is that one variable is the other; None where others might be as well."""
        if new in self.shown:
            return OUTPUTS
        if old == new:
            return NAME
        if self.same.is_sure(new):
            return LINE
        olds = [path for path in _alike(old, self.old_forms, self.loose_old) if path != old]
        news = [path for path in _alike(new, self.new_forms, self.loose_new) if path != new]
        if self.in_one_change(old, new):
            olds = [path for path in olds if self.in_one_change(path, new)]
            news = [path for path in news if self.in_one_change(old, path)]
        if not olds and not news:
            return ONLY
        likeness = shared(old, new)
        if all(shared(path, new) < likeness for path in olds) and all(shared(old, path) < likeness for path in news):
            return REST
        return None

    def in_one_change(self, old: str, new: str) -> bool:
        before, after = place(self.olds[old]), place(self.news[new])
        return before is not None and after is not None and self.diff.same_change(before, after)

    def kept(self) -> tuple[dict[str, str], list[Grow], list[str]]:
        """({saved variable: where it goes}, what grew, what has another dtype)."""
        moved, grown, cast = {}, [], []
        for path, new in self.pairs.items():
            old, now = self.olds[path], self.news[new]
            sure = self.certainty(path, new)
            if sure is None:
                self.doubt(path, new)
                continue
            if not compatible(old.shape, now.shape):
                axes = _axes(old, now)
                if len(axes) != 1 or not grows(old.shape, now.shape, axes):
                    self.reshaped(old, now)
                    continue
                grown.append(Grow(new, axes[0]))
            if old.dtype != now.dtype:
                cast.append(new)
            moved[path] = new
            self.why[path] = sure
            if grown and grown[-1].variable == new:
                self.why[new] = f"{sure}, {form(old)} is now {form(now)}"
        return moved, grown, cast

    def doubt(self, old: str, new: str) -> None:
        olds, news = _alike(old, self.old_forms, self.loose_old), _alike(new, self.new_forms, self.loose_new)
        targets = self.in_order(tuple(olds), tuple(news))
        sources = {target: source for source, target in targets.items()}
        others = ", ".join(sorted(news))
        self.open.append(Open(f"rename it to one of {others}{_hint(targets.get(old))}, or drop", saved=old))
        self.open.append(Open(f"rename a saved value to it{_hint(sources.get(new))}, or initial", variable=new))

    def in_order(self, olds: tuple[str, ...], news: tuple[str, ...]) -> Mapping[str, str]:
        """What the lines of two groups that are alike tell; each group is looked at once."""
        if (olds, news) not in self.orders:
            before, after = [self.olds[path] for path in olds], [self.news[path] for path in news]
            self.orders[olds, news] = _in_order(before, after)
        return self.orders[olds, news]

    def reshaped(self, old: Variable, new: Variable) -> None:
        self.open.append(Open(f"drop, as {form(old)} is now {form(new)}, and initial", saved=old.path))
        if new.path != old.path:
            self.open.append(Open("initial", variable=new.path))

    # --- what has no partner ----------------------------------------------------------------------------------

    def splits(self, fresh: Iterable[str]) -> Iterator[tuple[str, str]]:
        """(variable, saved variable) of those that were another name of one that still is there."""
        aliases = dict(self.old.aliases)
        for path in fresh:
            top = path
            while top and top not in aliases:
                top = owner(top)
            source = top and f"{aliases[top]}{path.removeprefix(top)}"
            if source in self.olds and compatible(self.olds[source].shape, self.news[path].shape):
                self.why[path] = f"was another name of {source}"
                yield path, source

    def is_doubtful(self, path: str, others: Collection[str], named: Mapping[str, Variable]) -> bool:
        """Whether it may be one of those on the other side, in another form."""
        mine = self.olds.get(path) or self.news[path]
        if path in self.olds and alias_of(path, dict(self.new.aliases)):
            return False  # it is one with another one now
        if path in self.news and self.holder_type(path) in self.called_less:
            return True  # a layer that was called twice may now be two
        return any(leaf(other) == leaf(path) and _rank(named[other]) == _rank(mine) for other in others)

    def holder_type(self, path: str) -> str | None:
        return next((holder.type for holder in self.new.holders if holder.path == owner(path)), None)

    @cached_property
    def called_less(self) -> set[str]:
        """The types of layers of which one is called less often than before."""
        before, after = ({holder.path: holder for holder in side.holders} for side in (self.old, self.new))
        owners = {(owner(old), owner(new)) for old, new in self.pairs.items()}
        pairs = [(before[old], after[new]) for old, new in owners if old in before and new in after]
        return {new.type for old, new in pairs if old.calls > new.calls}

    def ask(self, gone: Collection[str], fresh: Collection[str]) -> None:
        asked = {entry.name for entry in self.open}
        for path in gone:
            if path not in asked:
                alike = ", ".join(new for new in fresh if leaf(new) == leaf(path)) or "none"
                self.open.append(Open(f"drop, or rename it (new and like it: {alike})", saved=path))
        for path in fresh:
            if path not in asked:
                self.open.append(Open("initial, or rename a saved value to it, or grow one into it", variable=path))

    def moved_lists(self, renames: Collection[Rename]) -> Iterator[Rename]:
        """Lists of slots that go elsewhere than the renamings of their optimizer send them."""
        lists = {
            self.old_slots[old].group: slot.group
            for path, slot in self.new_slots.items()
            if (old := self.same.old(path)) in self.old_slots
        }
        for old, new in lists.items():
            if moved_group(old, renames) != new:
                self.why[f"{old}/**"] = NAME
                yield Rename(f"{old}/**", f"{new}/**")

    def changed_slots(
        self, targets: Mapping[str, Collection[str]], renames: Collection[Rename]
    ) -> tuple[list[str], list[str]]:
        """The slots of optimizers that are gone; those that are new, or of what had none, as it was frozen."""
        after = {slot.group for slot in self.new_slots.values()}
        groups = {slot.group: moved_group(slot.group, renames) for slot in self.old_slots.values()}
        lost = [path for path, slot in self.old_slots.items() if groups[slot.group] not in after]
        known = {(groups[slot.group], slot.variable) for slot in self.old_slots.values()}
        sources = {new: old for old, news in targets.items() for new in news}

        def is_new(slot: Slot) -> bool:
            whose = sources.get(slot.variable)
            return slot.group not in groups.values() or (whose is not None and (slot.group, whose) not in known)

        return lost, [path for path, slot in self.new_slots.items() if is_new(slot)]

    # --- patterns ---------------------------------------------------------------------------------------------

    def renames(self, targets: Mapping[str, list[str]]) -> Iterator[Rename]:
        """Renamings as few as say the same, the widest patterns first."""
        wanted = {old: news for old, news in targets.items() if news != [old]}
        covered: set[tuple[str, str]] = set()
        for old, news in wanted.items():
            for new in news:
                if (old, new) in covered:
                    continue
                for entry in _widest(old, new):
                    reached = {
                        path: target for path in self.olds if (target := rename(entry.old, entry.new, path)) is not None
                    }
                    if all(target in targets.get(path, ()) for path, target in reached.items()):
                        covered |= set(reached.items())
                        self.explain(entry, reached)
                        yield entry
                        break

    def explain(self, entry: Rename, reached: Mapping[str, str]) -> None:
        reasons = {self.why.get(new) or self.why[old] for old, new in reached.items()}
        self.why[entry.old] = ", ".join(sorted(reasons))


def _counted(signature: Signature, of_optimizer: Mapping[str, Slot]) -> dict[str, Variable]:
    return {item.path: item for item in signature.variables if item.path not in of_optimizer and not item.seed}


def _forms(named: Mapping[str, Variable]) -> dict[str, tuple[object, ...]]:
    """{variable: its name and what its holder holds}; of one without a holder, what it is itself."""
    held: dict[str, list[tuple[str, str, str]]] = {}
    for path, item in named.items():
        held.setdefault(owner(path), []).append((leaf(path), str(item.shape), item.dtype))
    forms = {holder: tuple(sorted(items)) for holder, items in held.items()}
    return {
        path: (leaf(path), forms[owner(path)]) if owner(path) else (item.shape, item.dtype)
        for path, item in named.items()
    }


def _alike(path: str, forms: Mapping[str, tuple[object, ...]], loose: Collection[str]) -> list[str]:
    """The variables without a partner that is sure, of the same name in a holder of the same form."""
    return [other for other in loose if forms[other] == forms[path]]


def _in_order(olds: Collection[Variable], news: Collection[Variable]) -> dict[str, str]:
    """{saved variable: variable of the model} by the order of the lines that create them, where it can be relied on.

    As many must be created at each line on both sides, and no name may be liker that of another one.
    """
    before, after = _by_line(olds), _by_line(news)
    if before.keys() != after.keys() or len(before) < len(olds) or len(after) < len(news):
        return {}
    words = {path: _words(path) for path in (*before.values(), *after.values())}
    pairs = [(before[place], after[place]) for place in before]
    return {
        old: new
        for old, new in pairs
        if all(len(words[old] & words[other]) <= len(words[old] & words[new]) for other in after.values())
        and all(len(words[other] & words[new]) <= len(words[old] & words[new]) for other in before.values())
    }


def _by_line(variables: Collection[Variable]) -> dict[tuple[int, int], str]:
    """{(number of its line among those of one file, how many were created there before): variable}."""
    sites = {item.path: item.site for item in variables if item.site is not None}
    if len({site.file for site in sites.values()}) != 1:
        return {}
    lines = sorted({site.line for site in sites.values()})
    return {(lines.index(site.line), site.number): path for path, site in sites.items()}


def _words(path: str) -> set[str]:
    return set(re.findall(r"[a-z]+|\d+", path.lower()))


def _hint(path: str | None) -> str:
    return f" (the order of the lines says {path})" if path is not None else ""


def _axes(old: Variable, new: Variable) -> list[int]:
    """The axes along which two shapes differ; none where the ranks do."""
    if old.shape is None or new.shape is None or len(old.shape) != len(new.shape):
        return []
    return [axis for axis, (before, after) in enumerate(zip(old.shape, new.shape, strict=True)) if before != after]


def _rank(variable: Variable) -> int | None:
    return len(variable.shape) if variable.shape is not None else None


def _widest(old: str, new: str) -> Iterator[Rename]:
    """The renamings that may explain a pair, those that explain most first."""
    before, after = renaming(old, new)
    if before != old or after != new:
        for one, other in ((_starred(before), _starred(after)), (before, after)):
            if one.count("*") == other.count("*"):
                yield Rename(f"{one}/**", f"{other}/**")
    one, other = _starred(old), _starred(new)
    if one.count("*") == other.count("*"):
        yield Rename(one, other)
    yield Rename(old, new)


def _starred(path: str) -> str:
    """A path with a wildcard for each number in it."""
    return "/".join("*" if part.isdigit() else part for part in path.split("/"))


def _covering(paths: Collection[str], every: Collection[str]) -> list[str]:
    """Patterns that match all of the paths and none of the others."""
    wanted, others = dict.fromkeys(paths), [path for path in every if path not in set(paths)]
    found: list[str] = []
    for path in wanted:
        if not any(matches(pattern, path) for pattern in found):
            found.append(next(pattern for pattern in _wider(path) if not _any(others, pattern)))
    return found


def _wider(path: str) -> Iterator[str]:
    parts = path.split("/")
    for end in range(1, len(parts)):
        above = "/".join(parts[:end])
        yield from dict.fromkeys((f"{_starred(above)}/**", f"{above}/**"))
    yield from dict.fromkeys((_starred(path), path))


def _any(paths: Iterable[str], pattern: str) -> bool:
    return any(matches(pattern, path) for path in paths)
