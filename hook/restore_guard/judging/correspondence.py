"""Which variable of the head is which variable of the base, as a person would say it.

Restoring does not know identity; this is what tells a rename from a removal beside an addition, and a value
in its place from one in another's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, ItemsView, Iterable, Mapping
from itertools import islice
from typing import TypeVar

from restore_guard.change.diffs import Diff, Place, place
from restore_guard.judging.slots import Slot, of_both, same_lists
from restore_guard.signature import Signature, Variable, leaf, owner

T = TypeVar("T")
# A line of the head, and the class of what a variable that is created there belongs to.
Line = tuple[Place, str | None]


class Correspondence:
    """Pairs of variables, one to one; a pair is sure where lines of source or names that the user chose show it."""

    def __init__(self) -> None:
        self._olds: dict[str, str] = {}
        self._news: dict[str, str] = {}
        self._sure: set[str] = set()
        self._strangers: set[str] = set()

    def add(self, old: str, new: str, sure: bool) -> None:
        self._olds[new], self._news[old] = old, new
        if sure:
            self._sure.add(new)

    def keep(self, paths: Mapping[str, str]) -> None:
        """Adds variables that have their path and their line still, all {path: path} of them."""
        self._olds.update(paths)
        self._news.update(paths)
        self._sure.update(paths)

    def pairs(self) -> ItemsView[str, str]:
        """(variable of the model, saved variable) of all."""
        return self._olds.items()

    def old(self, new: str) -> str | None:
        """The saved variable that a variable of the model is."""
        return self._olds.get(new)

    def new(self, old: str) -> str | None:
        """The variable of the model that a saved variable is."""
        return self._news.get(old)

    def is_sure(self, new: str) -> bool:
        return new in self._sure

    def set_apart(self, news: Iterable[str]) -> None:
        """Says of variables of the model that they are surely none of the saved ones."""
        self._strangers.update(news)

    def is_stranger(self, new: str) -> bool:
        return new in self._strangers


def correspond(saved: Signature, model: Signature, diff: Diff) -> Correspondence:
    """Finds out which variable is which; the surest evidence goes first.

    The same line of source and the same path; the same line, where as many were created there before and after;
    a line that stands elsewhere now; the same path; then, of what is left, equal form: within one block of changed
    lines, below a renamed owner, anywhere if there is just one. Slots of optimizers go with their variables.
    """
    old_slots, new_slots = of_both(saved, model)
    matching = _Matching(
        [variable for variable in saved.variables if variable.path not in old_slots],
        [variable for variable in model.variables if variable.path not in new_slots],
    )
    old_lines = _lines(matching.saved.values(), diff.head)
    new_lines = _lines(matching.model.values(), lambda at: at)
    matching.in_place(old_lines, new_lines)
    if matching.saved and matching.model:
        old_counts, new_counts = Counter(old_lines.values()), Counter(new_lines.values())

        def with_number(lines: dict[str, Line | None]) -> Callable[[Variable], Hashable | None]:
            def key(variable: Variable) -> Hashable | None:
                found, site = lines[variable.path], variable.site
                if found is None or site is None or old_counts[found] != new_counts[found]:
                    return None
                name = leaf(variable.path)
                return (*found, site.number, "" if name.isdigit() else name)

            return key

        matching.by(with_number(old_lines), with_number(new_lines), sure=True)
        matching.by(_statement(0, diff), _statement(1, diff), sure=True)
    matching.by_path()
    matching.owners(diff)
    matching.alone(diff)
    if new_slots:
        owners = {owner(new): owner(old) for new, old in matching.found.pairs()}
        matching.of_slots(old_slots, new_slots, same_lists(saved, model, old_slots, new_slots, owners))
    return matching.found


def _lines(variables: Iterable[Variable], to_head: Callable[[Place], Place | None]) -> dict[str, Line | None]:
    """{variable: the line of the head that creates it, and its owner's class}; many are created at one line."""
    heads: dict[tuple[str, int, str | None], Line | None] = {}
    lines: dict[str, Line | None] = {}
    for variable in variables:
        site = variable.site
        if site is None:
            lines[variable.path] = None
            continue
        key = site.file, site.line, variable.owner
        if key not in heads:
            at = to_head(Place(site.file, site.line))
            heads[key] = (at, variable.owner) if at is not None else None
        lines[variable.path] = heads[key]
    return lines


def _statement(side: int, diff: Diff) -> Callable[[Variable], Hashable | None]:
    """The line of source that creates a variable, as it is written; None for a part of a call over several lines."""
    files: dict[str, list[str]] = {}

    def key(variable: Variable) -> Hashable | None:
        site = variable.site
        if site is None:
            return None
        if site.file not in files:
            files[site.file] = (diff.text(side, site.file) or "").splitlines()
        (line,) = files[site.file][site.line - 1 : site.line] or ("",)
        line = line.strip()
        if not line or line.count("(") != line.count(")"):
            return None
        name = leaf(variable.path)
        return line, variable.owner, site.number, "" if name.isdigit() else name

    return key


class _Matching:
    def __init__(self, saved: Iterable[Variable], model: Iterable[Variable]) -> None:
        self.saved = {variable.path: variable for variable in saved}
        self.model = {variable.path: variable for variable in model}
        self.found = Correspondence()

    def pair(self, old: Variable, new: Variable, sure: bool = False) -> None:
        del self.saved[old.path], self.model[new.path]
        self.found.add(old.path, new.path, sure)

    def by(
        self,
        key_of_saved: Callable[[Variable], Hashable | None],
        key_of_model: Callable[[Variable], Hashable | None],
        sure: bool = False,
    ) -> None:
        """Pairs what has the same key, where the key is unique on both sides."""
        olds, news = _unique(self.saved.values(), key_of_saved), _unique(self.model.values(), key_of_model)
        for key, old in olds.items():
            if key in news:
                self.pair(old, news[key], sure)

    def in_place(self, old_lines: Mapping[str, Line | None], new_lines: Mapping[str, Line | None]) -> None:
        """Pairs what has its path and its line still."""
        same = {path: path for path, line in old_lines.items() if line is not None and new_lines.get(path) == line}
        self.found.keep(same)
        self.saved = {path: variable for path, variable in self.saved.items() if path not in same}
        self.model = {path: variable for path, variable in self.model.items() if path not in same}

    def by_path(self) -> None:
        for path in [path for path in self.saved if path in self.model]:
            old, new = self.saved[path], self.model[path]
            self.pair(old, new, sure=old.owner == new.owner and not _is_automatic(new))

    def owners(self, diff: Diff) -> None:
        """Pairs renamed owners: all of their free variables are equal in form.

        First within one block of changed lines, then the most similar path, then in order. Where no path says more
        than a place in containers, only in the order of their creation: a place in a list is none in a list of lists.
        """
        olds, news = _forms(self.saved.values()), _forms(self.model.values())

        def likeness(old: list[Variable], new: list[Variable]) -> tuple[int, int]:
            return _same_change(old[0], new[0], diff), shared(owner(old[0].path), owner(new[0].path))

        for form in olds.keys() & news.keys():
            places = [_are_places(side[form]) for side in (olds, news)]
            pairs: Iterable[tuple[list[Variable], list[Variable]]]
            if all(places) or (any(places) and len(olds[form]) == len(news[form])):
                pairs = zip(_as_created(olds[form]), _as_created(news[form]), strict=False)
            else:
                pairs = _assign(_by_line(olds[form]), _by_line(news[form]), likeness)
            for old, new in pairs:
                for before, after in zip(old, new, strict=True):
                    self.pair(before, after)

    def alone(self, diff: Diff) -> None:
        """Pairs single variables of equal form and name: in one block of changes, below one owner, the only two."""

        def named(variable: Variable) -> Hashable:
            return leaf(variable.path), variable.shape, variable.dtype

        def owned(variable: Variable) -> Hashable:
            return owner(variable.path), variable.shape, variable.dtype

        for key in (named, owned):
            news: dict[Hashable, deque[Variable]] = defaultdict(deque)
            for new in self.model.values():
                if block := _block(new, diff.block_after):
                    news[block, key(new)].append(new)
            for old in list(self.saved.values()):
                alike = news[_block(old, diff.block_before), key(old)]
                while alike and alike[0].path not in self.model:
                    alike.popleft()
                if candidates := list(islice((new for new in alike if new.path in self.model), _FEW)):
                    self.pair(old, max(candidates, key=lambda new: shared(old.path, new.path)))
        self.by(owned, owned)
        self.by(named, named)

    def of_slots(self, olds: Mapping[str, Slot], news: Mapping[str, Slot], lists: Mapping[str, str]) -> None:
        """Pairs slots by the list that they are in and by the variable that they are for."""
        known = {(slot.group, slot.variable): path for path, slot in olds.items()}
        for path, slot in news.items():
            whose = self.found.old(slot.variable)
            old = known.get((lists.get(slot.group, ""), whose)) if whose is not None else None
            if old is not None:
                self.found.add(old, path, self.found.is_sure(slot.variable))
        self.found.set_apart(path for path in news if self.found.old(path) is None)


def _is_automatic(variable: Variable) -> bool:
    """True for a place in a list and for a layer that Keras named: both only count what was created before."""
    name = leaf(owner(variable.path))
    if name.isdigit() or leaf(variable.path).isdigit():
        return True
    return name == variable.owner_name and is_automatic_name(name, variable.owner)


def is_automatic_name(name: str, owner: str | None) -> bool:
    """True for the name that Keras gives to a layer of a class that got none."""
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", owner or "").lower()
    return bool(re.fullmatch(rf"{re.escape(plain)}(_\d+)?", name))


def _forms(variables: Iterable[Variable]) -> dict[Hashable, list[list[Variable]]]:
    """{form: the variables of each owner that has it, by name}; the model's own variables have no owner to rename."""
    owned = defaultdict(list)
    for variable in variables:
        if owner(variable.path):
            owned[owner(variable.path)].append(variable)
    forms: dict[Hashable, list[list[Variable]]] = defaultdict(list)
    for held in owned.values():
        held.sort(key=lambda variable: leaf(variable.path))
        form = tuple((leaf(variable.path), variable.shape, variable.dtype) for variable in held)
        forms[held[0].owner, form].append(held)
    return forms


def _are_places(owners: list[list[Variable]]) -> bool:
    """True where several owners have the same path but for their places in lists."""
    names = {tuple(part for part in owner(held[0].path).split("/") if not part.isdigit()) for held in owners}
    return len(owners) > 1 and len(names) == 1


def _as_created(owners: list[list[Variable]]) -> list[list[Variable]]:
    """In the order in which one line created them, else as they are found."""
    sites = [site for held in owners if (site := held[0].site) is not None]
    if len(sites) < len(owners) or len({(site.file, site.line) for site in sites}) > 1:
        return owners
    created = sorted(zip(sites, owners, strict=True), key=lambda pair: pair[0].number)
    return [held for _, held in created]


def _by_line(owners: list[list[Variable]]) -> list[list[Variable]]:
    """In the order in which lines of one file create them; else as they are found, by names, which a rename changes."""
    sites = [site for held in owners if (site := held[0].site) is not None]
    if len(sites) < len(owners) or len({site.file for site in sites}) > 1:
        return owners
    created = sorted(zip(sites, owners, strict=True), key=lambda pair: (pair[0].line, pair[0].number))
    return [held for _, held in created]


def _unique(variables: Iterable[Variable], key: Callable[[Variable], Hashable | None]) -> dict[Hashable, Variable]:
    found: dict[Hashable, Variable] = {}
    repeated: set[Hashable] = set()
    for variable in variables:
        value = key(variable)
        if value is None or value in repeated:
            continue
        if value in found:
            del found[value]
            repeated.add(value)
        else:
            found[value] = variable
    return found


# Above this, comparing each with each takes longer than it is worth: equal forms are paired in order.
_FEW = 40


def _assign(olds: list[T], news: list[T], likeness: Callable[[T, T], tuple[int, int]]) -> list[tuple[T, T]]:
    """Returns pairs, each item once, the likest first."""
    if len(olds) * len(news) > _FEW * _FEW:
        return list(zip(olds, news, strict=False))
    ranked = sorted(
        ((likeness(old, new), -abs(i - j), -i, -j) for i, old in enumerate(olds) for j, new in enumerate(news)),
        reverse=True,
    )
    pairs, free_olds, free_news = [], set(range(len(olds))), set(range(len(news)))
    for _, _, i, j in ranked:
        if -i in free_olds and -j in free_news:
            free_olds.remove(-i)
            free_news.remove(-j)
            pairs.append((olds[-i], news[-j]))
    return pairs


def _block(variable: Variable, block: Callable[[Place], Hashable | None]) -> Hashable | None:
    at = place(variable)
    return block(at) if at is not None else None


def _same_change(old: Variable, new: Variable, diff: Diff) -> int:
    before, after = place(old), place(new)
    return int(before is not None and after is not None and diff.same_change(before, after))


def shared(old: str, new: str) -> int:
    """How many components two paths share, from both ends."""
    olds, news = old.split("/"), new.split("/")
    return _common(olds, news) + _common(olds[::-1], news[::-1])


def _common(olds: list[str], news: list[str]) -> int:
    return next((i for i, (a, b) in enumerate(zip(olds, news, strict=False)) if a != b), min(len(olds), len(news)))
