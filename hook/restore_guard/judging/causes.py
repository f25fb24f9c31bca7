"""Troubles grouped by root cause: a renamed layer is one cause, not four variables on two restore paths."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from restore_guard.change.diffs import Place
from restore_guard.judging.comparison import Comparison, Trouble, troubles
from restore_guard.judging.correspondence import leaf, owner, place
from restore_guard.signature import Holder


@dataclass
class Cause:
    """What one change of the code did.

    Attributes:
        rule: the rule that it breaks.
        subject: the old and the new name of what changed: a layer, a variable, or None on the side that lacks it.
        place: the line of the head that did it; None where no line is known.
        primary: True where that line itself was changed.
        troubles: the variables that changed.
        consequences: the variables that stayed as they were and no longer restore because of it.
    """

    rule: str
    subject: tuple[str | None, str | None]
    place: Place | None
    primary: bool
    troubles: list[Trouble] = field(default_factory=list)
    consequences: list[Trouble] = field(default_factory=list)

    @property
    def every(self) -> list[Trouble]:
        return self.troubles + self.consequences

    @property
    def paths(self) -> set[str]:
        return {trouble.path for trouble in self.every}


def find(comparison: Comparison) -> list[Cause]:
    """Returns the causes of all troubles of a comparison, in the order of the variables."""
    found = troubles(comparison)
    if not found:
        return []
    view = _View(comparison)
    groups: dict[Hashable, Cause] = {}
    for trouble in found:
        rule, subject = view.classify(trouble)
        where, primary = view.locate(trouble, rule, subject)
        cause = groups.setdefault((rule, subject), Cause(rule, subject, where, primary))
        if primary and not cause.primary:
            cause.place, cause.primary = where, True
        cause.troubles.append(trouble)
    return _fold(_replacements(list(groups.values()), view), not comparison.diff.is_empty)


def _replacements(causes: list[Cause], view: _View) -> list[Cause]:
    """One layer gone and one new at the same line: a layer that was replaced by one of another type."""
    gone = {cause.place: cause for cause in causes if cause.rule == "variable-missing" and cause.place}
    new = {cause.place: cause for cause in causes if cause.rule == "variable-added" and cause.place}
    replaced: dict[int, Cause | None] = {}
    for at in gone.keys() & new.keys():
        before, after = gone[at].subject[0], new[at].subject[1]
        old, now = view.comparison.old_holders.get(before), view.comparison.new_holders.get(after)
        if old is not None and now is not None and old.type != now.type and view.same_change(old, now):
            cause = Cause("layer-type-changed", (before, after), at, True, gone[at].troubles + new[at].troubles)
            replaced |= {id(gone[at]): cause, id(new[at]): None}
    return [cause for old in causes if (cause := replaced.get(id(old), old)) is not None]


def _fold(causes: list[Cause], lines_known: bool) -> list[Cause]:
    """A variable whose own line did not change caused nothing: it belongs to the nearest cause, if there is one.

    Where no lines are compared, each stands for itself.
    """
    primaries = [cause for cause in causes if cause.primary]
    if not primaries or not lines_known:
        twins: dict[tuple, Cause] = {}
        for cause in causes:
            first = twins.setdefault((cause.rule, cause.place), cause) if not cause.primary else cause
            if first is not cause:
                first.troubles.extend(cause.troubles)
        return primaries + list(twins.values())
    # There are as many causes as there are layers, but only as many places as there are lines.
    at: dict[Place | None, Cause] = {}
    for root in primaries:
        at.setdefault(root.place, root)
    nearest: dict[Place | None, Cause] = {}
    for cause in causes:
        if not cause.primary:
            if cause.place not in nearest:
                nearest[cause.place] = min(at.values(), key=lambda root: _distance(root, cause))
            nearest[cause.place].consequences.extend(cause.troubles)
    return primaries


def _distance(root: Cause, cause: Cause) -> tuple[bool, int]:
    if root.place is None or cause.place is None:
        return True, 0
    return root.place.file != cause.place.file, abs(root.place.line - cause.place.line)


class _View:
    """A comparison with the look-ups that grouping needs."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison, self.diff = comparison, comparison.diff
        self.aliases_old = dict(comparison.saved.aliases)
        self.aliases_new = dict(comparison.model.aliases)

    @cached_property
    def kept_old(self) -> set[str]:
        """What holds a saved variable that still is there, on whatever level."""
        return _prefixes(path for path in self.comparison.olds if self.comparison.same.new(path))

    @cached_property
    def kept_new(self) -> set[str]:
        """What holds a variable that was there before."""
        return _prefixes(path for path in self.comparison.news if self.comparison.same.old(path))

    @cached_property
    def owner_of_new(self) -> dict[str, str]:
        """{owner of a variable now: its owner before}."""
        return {owner(new): owner(old) for old, new in self._pairs()}

    @cached_property
    def owner_of_old(self) -> dict[str, str]:
        """{owner of a variable before: its owner now}."""
        return {owner(old): owner(new) for old, new in self._pairs()}

    def _pairs(self) -> Iterator[tuple[str, str]]:
        same = self.comparison.same
        return ((old, new) for new in self.comparison.news if (old := same.old(new)) is not None)

    def classify(self, trouble: Trouble) -> tuple[str, tuple[str | None, str | None]]:
        """Returns (rule, subject)."""
        old, new = self.comparison.olds.get(trouble.old), self.comparison.news.get(trouble.new)
        if old is None and new is None:
            return "variable-missing" if trouble.revived else "config-incompatible", (None, None)
        if trouble.got is not None and trouble.got == trouble.old:
            return "shape-changed", (owner(old.path), owner(new.path))
        if trouble.got is not None:
            return "variable-misplaced", (owner(trouble.got) or trouble.got, owner(new.path) or new.path)
        retyped = self.retyped(
            old.path if old else self.counterpart(new.path, self.owner_of_new),
            new.path if new else self.counterpart(old.path, self.owner_of_old),
        )
        if retyped:
            return "layer-type-changed", retyped
        if old is None:
            if alias_of(new.path, self.aliases_old) or self.split(owner(new.path)):
                return "sharing-changed", (None, owner(new.path) or new.path)
            return "variable-added", (None, _top(new.path, self.kept_new))
        if new is None:
            if alias_of(old.path, self.aliases_new) or self.merged(owner(old.path)):
                return "sharing-changed", (owner(old.path) or old.path, None)
            return "variable-missing", (_top(old.path, self.kept_old), None)
        if old.shape != new.shape:
            return "shape-changed", (owner(old.path), owner(new.path))
        if old.dtype != new.dtype:
            return "dtype-changed", (owner(old.path), owner(new.path))
        if old.path != new.path:
            return "variable-renamed", renaming(old.path, new.path)
        if trouble.unsaved:
            return "not-saved", (owner(old.path), owner(new.path))
        # The same name and form, elsewhere in the checkpoint: something before it was inserted, removed or moved.
        return "variable-renamed", (None, None)

    @staticmethod
    def counterpart(path: str, owners: Mapping[str, str]) -> str:
        """Where a variable without a partner would be on the other side, by the partners of its siblings."""
        other = owners.get(owner(path), owner(path))
        return f"{other}/{leaf(path)}" if other else leaf(path)

    def split(self, new: str) -> bool:
        """True where a layer is new and one like it is called less often than before."""
        twin = self.comparison.new_holders.get(new)
        return twin is not None and twin.type in self.called_less

    def merged(self, old: str) -> bool:
        """True where a layer is gone and one like it is called more often than before."""
        twin = self.comparison.old_holders.get(old)
        return twin is not None and twin.type in self.called_more

    @cached_property
    def called_less(self) -> set[str]:
        """The types of layers of which one is called less often than before."""
        pairs = self._holders((old, new) for new, old in self.owner_of_new.items())
        return {new.type for old, new in pairs if old.calls > new.calls}

    @cached_property
    def called_more(self) -> set[str]:
        """The types of layers of which one is called more often than before."""
        return {old.type for old, new in self._holders(self.owner_of_old.items()) if new.calls > old.calls}

    def _holders(self, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[Holder, Holder]]:
        olds, news = self.comparison.old_holders, self.comparison.new_holders
        return ((olds[old], news[new]) for old, new in pairs if old in olds and new in news)

    def retyped(self, old: str, new: str) -> tuple[str, str] | None:
        """The topmost object on the way to a variable that has another type than before."""
        common = [path for path in _above(old) if path in set(_above(new))]
        for before, after in [*((path, path) for path in common), (owner(old), owner(new))]:
            one, other = self.comparison.old_holders.get(before), self.comparison.new_holders.get(after)
            if one is not None and other is not None and one.type != other.type:
                return before, after
        return None

    def locate(self, trouble: Trouble, rule: str, subject: tuple[str | None, str | None]) -> tuple[Place | None, bool]:
        """Returns (line of the head, whether that line is the cause itself)."""
        old, new = self.comparison.olds.get(trouble.old), self.comparison.news.get(trouble.new)
        if rule == "config-incompatible":
            return self.refusal()
        holder = self.comparison.new_holders.get(subject[1]) if rule == "layer-type-changed" else None
        at = place(holder) if holder is not None else None
        at = at or (place(new) if new is not None else None)
        moved_along = rule == "variable-renamed" and subject == (None, None)
        if at is not None and self.diff.is_changed(at):
            return at, not moved_along and not self.is_slot(trouble)
        if new is None and old is not None and place(old) is not None:
            removed = self.diff.head(place(old)) is None and self.diff.removal(place(old))
            return (removed, True) if removed else (self.diff.nearest_change(place(old)) or place(old), False)
        if at is None:
            return None, rule in ("variable-added", "variable-missing") and not self.is_slot(trouble)
        return self.diff.nearest_change(at) or at, False

    def refusal(self) -> tuple[Place | None, bool]:
        """Where the code refuses a configuration, on a changed line if one is near."""
        site = self.comparison.model.archive.revival.site
        at = Place(site.file, site.line) if site is not None else None
        if at is not None and not self.diff.is_changed(at):
            at = self.diff.nearest_change(at) or at
        return at, True

    def is_slot(self, trouble: Trouble) -> bool:
        """An optimizer's slots follow the model's variables; they never are what changed."""
        parts = trouble.name.split("/")
        return parts[-1].isdigit() and "optimizer" in parts

    def same_change(self, old: object, new: object) -> bool:
        before, after = place(old), place(new)
        return before is not None and after is not None and self.diff.same_change(before, after)


def alias_of(path: str, aliases: Mapping[str, str]) -> str | None:
    """The object that a path, or what holds it, was another name of."""
    while path:
        if path in aliases:
            return aliases[path]
        path = owner(path)
    return None


def renaming(old: str, new: str) -> tuple[str, str]:
    """The part of the path that was renamed, alike for all variables below it."""
    olds, news = old.split("/"), new.split("/")
    while len(olds) > 1 and len(news) > 1 and olds[-1] == news[-1]:
        olds, news = olds[:-1], news[:-1]
    return "/".join(olds), "/".join(news)


def _above(path: str) -> list[str]:
    """The paths of what holds a variable, the topmost first."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _prefixes(paths: Iterable[str]) -> set[str]:
    found = set()
    for path in paths:
        while path and path not in found:
            found.add(path)
            path = owner(path)
    return found


def _top(path: str, kept: set[str]) -> str:
    """The topmost object above a variable that is wholly new, or wholly gone."""
    while owner(path) and owner(path) not in kept:
        path = owner(path)
    return path
