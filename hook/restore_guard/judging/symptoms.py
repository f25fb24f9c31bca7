"""What is wrong with each variable, in the words of a rule, and the line behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from restore_guard.change.diffs import Place
from restore_guard.judging import renames, shifts
from restore_guard.judging.blame import Blame, Blamed, BlameQuery, Clues, Size, Stack, stack
from restore_guard.judging.comparison import Comparison
from restore_guard.judging.correspondence import is_automatic_name
from restore_guard.judging.renames import Renaming
from restore_guard.plain_data import Site
from restore_guard.restore_paths import site_of_state
from restore_guard.rules import explaining, explanation
from restore_guard.rules.shared.cause import Subject, Trouble
from restore_guard.rules.shared.rule import Explanation
from restore_guard.rules.shared.view import Sight, View
from restore_guard.signature import Holder, Signature, Variable, leaf, owner

# The subject of a variable that has its name still, elsewhere in the checkpoint.
_MOVED: Subject = (None, None)
# How far what holds something is from it, and the call that made it build its variables.
_HOLDER, _BUILT = 3.0, 4.0
# What went into something else is farther from what did it than a line that made what it went into.
_MOVED_ITSELF = 0.5
# Methods of a layer that decide by themselves how its variables are stored and loaded.
_STORING = ("save_own_variables", "load_own_variables", "save_assets", "load_assets", "build_from_config")
# What a shift moved is behind what was put in itself.
_SHIFTED = 5.0


class Symptom(msgspec.Struct, frozen=True):
    """One way in which a variable is not what it was.

    Attributes:
        subject: the old and the new name of what changed.
        family: what it has in common with others that are repeated.
        at: the line that did it, None where none is known, and for a slot.
        slot_at: the line that did it to a slot.
        is_moved: nothing but its position changed.
        optimizer: whose slot it is; a slot follows a variable of the model: its line is asked for where nothing that
            happened to the model explains it.
        sizes: (old, new) of the dimensions that changed.
    """

    rule: str
    subject: Subject
    family: Subject
    trouble: Trouble
    at: Blamed | None
    is_moved: bool = False
    optimizer: str | None = None
    slot_at: Blamed | None = None
    sizes: frozenset[Size] = frozenset()

    @property
    def may_follow(self) -> bool:
        """Whether something else on the same line can be the reason."""
        return self.is_moved or self.rule in ("shape-changed", "dtype-changed", "variable-misplaced")


class Symptoms:
    """The symptoms of all troubles of a comparison."""

    def __init__(self, comparison: Comparison, troubles: Sequence[Trouble]) -> None:
        self.comparison, self.view = comparison, View(comparison)
        self.blame = Blame(comparison.saved, comparison.model, comparison.diff)
        rules = explaining()
        self.sights = [(sight, *_explained(sight, rules)) for sight in (Sight(item, self.view) for item in troubles)]

    def __iter__(self) -> Iterator[Symptom]:
        """A variable below two renamed layers shows both."""
        for sight, rule, subject in self.sights:
            if rule == "variable-renamed" and sight.same_form is not None:
                yield from self._renamed(sight, *sight.same_form, subject)
            else:
                asked = self._query(sight, rule, subject)
                at, sizes = self.blame.line(asked), asked.clues.sizes
                if (optimizer := sight.optimizer) is not None:
                    trained = self._trained(sight)
                    at = trained or at if owner(sight.trouble.name) in self._kept_lists else at or trained
                    yield Symptom(
                        rule, subject, subject, sight.trouble, None, optimizer=optimizer, slot_at=at, sizes=sizes
                    )
                    continue
                if sight.kind == "unnamed" and at is None:
                    at = self._quoted(sight)
                yield Symptom(rule, subject, subject, sight.trouble, at, sizes=sizes)

    def _quoted(self, sight: Sight) -> Blamed | None:
        """Where a layer or variable is made that an error names, else where variables are stored and loaded."""
        words = set(re.findall(r"[\w./-]+", self.comparison.outcomes[sight.trouble.path].error or ""))
        named = (item for item in self.comparison.model.variables if words & {item.path, item.owner_name})
        starts = dict.fromkeys((0.0, stack(item.site)) for item in named)
        found = self.blame.line(_query(starts, [])) if starts else None
        return found or self.blame.within(_STORING)

    def _renamed(self, sight: Sight, old: Variable, new: Variable, subject: Subject) -> Iterator[Symptom]:
        parts = renames.renamings(old.path, new.path) if subject != _MOVED else []
        told = [self._moved(part, old) for part in parts if part.kind != "index" and not self._is_counted(part)]
        rule, optimizer = "variable-renamed", sight.optimizer
        for part in told:
            at = None if optimizer is not None else self.blame.line(self._renaming(part, old, new))
            ends = part.old.split("/")[-1], part.new.split("/")[-1]
            yield Symptom(rule, (part.old, part.new), ends, sight.trouble, at, optimizer=optimizer)
        if not told:
            ways = (parts[0].old, parts[0].new) if parts else _MOVED
            yield Symptom(rule, ways, ways, sight.trouble, self._shifted(new), is_moved=True, optimizer=optimizer)

    def _moved(self, part: Renaming, old: Variable) -> Renaming:
        """Of what went into or out of something else, the thing that went: its holder may have stayed."""
        moved = _next(part.old, old.path)
        alone = part.kind != "renamed" and part.old not in ("", old.path) and self._moves[part.old] != {part.new}
        if not alone or leaf(moved).isdigit():  # an item of a list has no name to be told by
            return part
        return Renaming("moved", moved, f"{part.new}/{leaf(moved)}".lstrip("/"))

    @cached_property
    def _moves(self) -> dict[str, set[str | None]]:
        """{what held variables: where it is that they are now, each below it as before; None for elsewhere}."""
        found: dict[str, set[str | None]] = {}
        for new, old in self.comparison.same.pairs():
            olds = old.split("/")
            news: list[str] | None = new.split("/")
            while len(olds) > 1:
                news = news[:-1] if news and olds[-1] == news[-1] else None
                olds = olds[:-1]
                found.setdefault("/".join(olds), set()).add(None if news is None else "/".join(news))
        return found

    def _is_counted(self, part: Renaming) -> bool:
        """Whether Keras gave both names, and they only count what was created before."""
        before, after = self.comparison.old_holders.get(part.old), self.comparison.new_holders.get(part.new)
        if before is None or after is None or before.type != after.type:
            return False
        return all(is_automatic_name(leaf(item.path), item.type) for item in (before, after))

    def _renaming(self, part: Renaming, old: Variable, new: Variable) -> BlameQuery:
        """Where to look for what renamed a part of a variable's path."""
        own = stack(new.site)
        if part.kind == "below" and own and self.comparison.diff.is_changed(Place(*own[0][:2])):
            return _query([(0.0, own)], [])
        holder = self.comparison.new_holders.get(part.new)
        before = self.comparison.old_holders.get(part.old)
        head = [(0.0 if part.new == new.path else _HOLDER, stack(new.site))]
        base = [(0.25 if part.old == old.path else _HOLDER, stack(old.site))]
        if holder is not None:
            head.append((0.0, stack(holder.site)))
        if before is not None:
            base.append((0.25, stack(before.site)))
        if part.kind == "below" and (moved := self.comparison.new_holders.get(_next(part.new, new.path))) is not None:
            head.append((_MOVED_ITSELF, stack(moved.site)))
        head.append((_BUILT, stack(new.built)))
        return _query(head, base, Clues(names=part.names))

    def _query(self, sight: Sight, rule: str, subject: Subject) -> BlameQuery:
        """Where to look for what a rule says of a thing."""
        explains, old, new = explanation(rule), sight.old, sight.new
        if (refusal := explains.refusal(self.comparison)) is not None:
            return _query([(0.0, stack(refusal))], [])
        if sight.kind == "state":
            made = _site_of(self.comparison.model, new, sight.trouble.new)
            was_made = _site_of(self.comparison.saved, old, sight.trouble.old)
            return _query([(0.0, stack(made))], [(0.25, stack(was_made))])
        own = self._own_lines.get(subject, set()) if rule == "layer-type-changed" else set()
        if len({frames[0] for frames in own}) == 1:
            return _query([(0.0, next(iter(own)))], [])
        before = _holder(self.comparison.old_holders, subject[0])
        after = _holder(self.comparison.new_holders, subject[1])
        head: list[tuple[float, Stack]] = []
        base: list[tuple[float, Stack]] = []
        if explains.whole and after is not None:
            head.append((0.0, stack(after.site)))
        if explains.whole and before is not None:
            base.append((0.25, stack(before.site)))
        far = _HOLDER if head or base else 0.0
        head += self._around(new, self.comparison.new_holders, far)
        base += self._around(old, self.comparison.old_holders, far + 0.25)
        if new is None and old is not None and subject[0] in (None, old.path, owner(old.path)):
            counterpart = _holder(self.comparison.new_holders, self.view.owner_of_old.get(owner(old.path)))
            head += [(0.0, stack(counterpart.site))] if counterpart is not None else []
        sizes = frozenset(_changed_sizes(old, new)) if explains.data else frozenset()
        names = frozenset({after.type}) if rule == "layer-type-changed" and after is not None else frozenset()
        return _query(head, base, Clues(names, sizes), explains.data)

    def _around(
        self, variable: Variable | None, holders: Mapping[str, Holder], cost: float
    ) -> Iterator[tuple[float, Stack]]:
        """The creations of a variable and of what holds it, and the call that made it."""
        if variable is None:
            return
        yield cost, stack(variable.site)
        yield cost + _BUILT, stack(variable.built)
        for number, path in enumerate(reversed(_above(variable.path))):
            if path in holders:
                yield cost + _HOLDER + number, stack(holders[path].site)

    def _trained(self, sight: Sight) -> Blamed | None:
        """The line by which an optimizer trains more or fewer variables, or those of a slot in another order."""
        comparison = self.comparison
        apart = self._trained_apart
        if not apart:
            sides = (
                (comparison.old_slots, comparison.olds, sight.old),
                (comparison.new_slots, comparison.news, sight.new),
            )
            slots = [(found[item.path].variable, all_) for found, all_, item in sides if item and item.path in found]
            apart = [all_[path] for path, all_ in slots]
        return self.blame.line(_query([(0.0, stack(item.site)) for item in apart], []))

    @cached_property
    def _kept_lists(self) -> set[str]:
        """The lists of slots, as an optimizer's momentums, of which both sides have something."""
        news = self.comparison.new_slots
        return {owner(path) for pair in self.comparison.same.pairs() if pair[0] in news for path in pair}

    @cached_property
    def _trained_apart(self) -> list[Variable]:
        """The variables of the model that an optimizer has slots for now and had none before, or the reverse."""
        comparison = self.comparison
        before = {comparison.same.new(slot.variable) for slot in comparison.old_slots.values()}
        after = {slot.variable for slot in comparison.new_slots.values()}
        kept = {new for new, _ in comparison.same.pairs()}
        return [item for path, item in comparison.news.items() if path in kept and path in before ^ after]

    def _shifted(self, new: Variable) -> Blamed | None:
        """The line that put in or took out what moved a variable."""
        made: dict[Site | None, int] = {site: number for number, (_, site) in enumerate(self.comparison.model.created)}
        for shift in shifts.behind(self._shifts, made.get(new.site)):
            start = ((0.0, stack(shift.site)),)
            found = self.blame.line(BlameQuery(start, ()) if shift.inserted else BlameQuery((), start))
            if found is not None:
                return found._replace(cost=found.cost + _SHIFTED)
        left = self.blame.line(_query(self._around(new, self.comparison.new_holders, 0.0), []))
        return left._replace(cost=left.cost + _SHIFTED) if left is not None else None

    @cached_property
    def _shifts(self) -> list[shifts.Shift]:
        comparison = self.comparison
        return shifts.shifts_between(comparison.saved, comparison.model, comparison.diff)

    @cached_property
    def _own_lines(self) -> dict[Subject, set[Stack]]:
        """{a thing of another type: the frames of its variables that are created at edited lines of the user's}."""
        found: dict[Subject, set[Stack]] = {}
        for sight, rule, subject in self.sights:
            new = sight.new
            if rule != "layer-type-changed" or new is None or new.site is None or new.built is not None:
                continue
            if self.comparison.diff.is_changed(Place(new.site.file, new.site.line)):
                found.setdefault(subject, set()).add(stack(new.site))
        return found


def _explained(sight: Sight, rules: Mapping[str, Explanation]) -> tuple[str, Subject]:
    """The rule that is the reason of a trouble, and what changed."""
    found = ((rule, explains.applies(sight)) for rule, explains in rules.items())
    return next((name, subject) for name, subject in found if subject is not None)


def _site_of(signature: Signature, variable: Variable | None, name: str | None) -> Site | None:
    """Where a variable, or a table or the like of that name, is made."""
    return variable.site if variable is not None else site_of_state(signature, name or "")


def _changed_sizes(old: Variable | None, new: Variable | None) -> Iterator[Size]:
    """The sizes of two shapes that differ."""
    shapes = [item.shape for item in (old, new) if item is not None and item.shape is not None]
    if len(shapes) == 2 and len(shapes[0]) == len(shapes[1]):
        yield from ((one, other) for one, other in zip(*shapes, strict=True) if one != other)


def _query(
    head: Iterable[tuple[float, Stack]],
    base: Iterable[tuple[float, Stack]],
    clues: Clues | None = None,
    data: bool = False,
) -> BlameQuery:
    heads, bases = (tuple((cost, frames) for cost, frames in side if frames) for side in (head, base))
    return BlameQuery(heads, bases, clues or Clues(), data)


def _next(way: str, path: str) -> str:
    """The way to a variable, one part farther."""
    return "/".join(path.split("/")[: way.count("/") + 2])


def _holder(holders: Mapping[str, Holder], path: str | None) -> Holder | None:
    return holders.get(path) if path is not None else None


def _above(path: str) -> list[str]:
    """The paths of what holds a variable, the topmost first."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
