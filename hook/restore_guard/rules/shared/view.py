"""A comparison with the look-ups that the rules need to explain a trouble."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal

from restore_guard.change.diffs import Place
from restore_guard.rules.shared.cause import Cause, Compared, Subject, Trouble
from restore_guard.signature import Holder, Variable, leaf, owner

Kind = Literal["state", "unnamed", "elsewhere", "retyped", "added", "split", "removed", "merged", "kept"]


class View:
    """What the rules ask of a comparison more than once."""

    def __init__(self, comparison: Compared) -> None:
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
    def there_old(self) -> set[str]:
        """What holds a saved variable that still is there, or is there under the same name with other variables."""
        return self.kept_old | (self._of_same_name - self.owner_of_new.keys())

    @cached_property
    def there_new(self) -> set[str]:
        """What holds a variable that was there before, or was there under the same name with other variables."""
        return self.kept_new | (self._of_same_name - self.owner_of_old.keys())

    @cached_property
    def _of_same_name(self) -> set[str]:
        olds, news = self.comparison.old_holders, self.comparison.new_holders
        return {path for path, holder in olds.items() if path in news and news[path].type == holder.type}

    @cached_property
    def owner_of_new(self) -> dict[str, str]:
        """{owner of a variable now: its owner before}."""
        return {owner(new): owner(old) for old, new in self._pairs()}

    @cached_property
    def owner_of_old(self) -> dict[str, str]:
        """{owner of a variable before: its owner now}."""
        return {owner(old): owner(new) for old, new in self._pairs()}

    @cached_property
    def called_less(self) -> set[str]:
        """The types of layers of which one is called less often than before."""
        pairs = self._holders((old, new) for new, old in self.owner_of_new.items())
        return {new.type for old, new in pairs if old.calls > new.calls}

    @cached_property
    def called_more(self) -> set[str]:
        """The types of layers of which one is called more often than before."""
        return {old.type for old, new in self._holders(self.owner_of_old.items()) if new.calls > old.calls}

    def retyped(self, old: str, new: str) -> Subject | None:
        """The topmost object on the way to a variable that has another type than before."""
        common = [path for path in _above(old) if path in set(_above(new))]
        for before, after in [*((path, path) for path in common), (owner(old), owner(new))]:
            one, other = self.comparison.old_holders.get(before), self.comparison.new_holders.get(after)
            if one is not None and other is not None and one.type != other.type:
                return before, after
        return None

    def nearest(self, at: Place | None) -> Place | None:
        """A line of the head, or the changed one that is nearest to it."""
        if at is None or self.diff.is_changed(at):
            return at
        return self.diff.nearest_edit(at) or at

    def _pairs(self) -> Iterator[tuple[str, str]]:
        same = self.comparison.same
        return ((old, new) for new in self.comparison.news if (old := same.old(new)) is not None)

    def _holders(self, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[Holder, Holder]]:
        olds, news = self.comparison.old_holders, self.comparison.new_holders
        return ((olds[old], news[new]) for old, new in pairs if old in olds and new in news)


class Sight:
    """One trouble with all that the comparison knows of its variable.

    Attributes:
        old, new: the variable on either side.
        retyped: what above it is of another type than before.
        kind: what became of it. state: it is a table or the like on one side. unnamed: the load call names no variable.
            elsewhere: it gets another value than its own, or its own in another shape. retyped: its layer is of another
            type. split, merged: it was one with another before, or is now. added, removed: it is on one side only.
            kept: none of these.
    """

    def __init__(self, trouble: Trouble, view: View) -> None:
        self.trouble, self.view = trouble, view
        self.old, self.new = _named(view.comparison.olds, trouble.old), _named(view.comparison.news, trouble.new)
        self.retyped = self._retyped() if trouble.got is None and trouble.refusal is None else None
        self.kind = self._kind()

    def _kind(self) -> Kind:
        if self.trouble.refusal is not None:
            return "state"
        if self.old is None and self.new is None:
            return "unnamed"
        if self.trouble.got is not None:
            return "elsewhere"
        if self.retyped is not None:
            return "retyped"
        if self.old is None:
            return "split" if self.new is not None and self._was_shared(self.new) else "added"
        if self.new is None:
            return "merged" if self._is_shared(self.old) else "removed"
        return "kept"

    def _was_shared(self, new: Variable) -> bool:
        """Whether a new variable had another name before, or is of a layer like one that is called less than before."""
        twin = self.view.comparison.new_holders.get(owner(new.path))
        return bool(alias_of(new.path, self.view.aliases_old)) or (
            twin is not None and twin.type in self.view.called_less
        )

    def _is_shared(self, old: Variable) -> bool:
        """Whether a variable that is gone has another name now, or was of a layer like one that is called more now."""
        twin = self.view.comparison.old_holders.get(owner(old.path))
        return bool(alias_of(old.path, self.view.aliases_new)) or (
            twin is not None and twin.type in self.view.called_more
        )

    def _retyped(self) -> Subject | None:
        if self.old is not None and self.new is not None:
            return self.view.retyped(self.old.path, self.new.path)
        if self.old is not None:
            return self.view.retyped(self.old.path, _counterpart(self.old.path, self.view.owner_of_old))
        if self.new is not None:
            return self.view.retyped(_counterpart(self.new.path, self.view.owner_of_new), self.new.path)
        return None

    @property
    def kept(self) -> tuple[Variable, Variable] | None:
        """The variable before and after, where it is of the kind `kept`."""
        return (self.old, self.new) if self.kind == "kept" and self.old is not None and self.new is not None else None

    @property
    def same_form(self) -> tuple[Variable, Variable] | None:
        """The variable before and after, where it is kept with the same shape and dtype."""
        if self.kept is None:
            return None
        old, new = self.kept
        return (old, new) if (old.shape, old.dtype) == (new.shape, new.dtype) else None

    @property
    def owners(self) -> Subject:
        """What holds it on either side, the variable itself where the model holds it."""
        return _owner(self.old), _owner(self.new)

    @property
    def optimizer(self) -> str | None:
        """The optimizer whose slot it is: slots follow the model's variables, and never are what changed."""
        comparison, trouble = self.view.comparison, self.trouble
        for slots, name in ((comparison.new_slots, trouble.new), (comparison.old_slots, trouble.old)):
            if name is not None and name in slots:
                return owner(slots[name][0])
        # A file does not say whose they are.
        parts = trouble.name.split("/")
        return "/".join(parts[:-2]) if parts[-1].isdigit() and "optimizer" in parts else None


def alias_of(path: str | None, aliases: Mapping[str, str]) -> str | None:
    """The object that a path, or what holds it, was another name of."""
    while path:
        if path in aliases:
            return aliases[path]
        path = owner(path)
    return None


def top(path: str, kept: set[str]) -> str:
    """The topmost object above a variable that is wholly new, or wholly gone."""
    while owner(path) and owner(path) not in kept:
        path = owner(path)
    return path


def variable_ends(cause: Cause, comparison: Compared) -> Subject:
    """The first variable of a cause on either side."""
    first = cause.troubles[0]
    return first.old, first.new


def both_sides(trouble: Trouble, comparison: Compared) -> tuple[Variable, Variable]:
    """The variable of a trouble before and after.

    Raises:
        KeyError: it is not there on both sides.
    """
    return comparison.olds[trouble.old or ""], comparison.news[trouble.new or ""]


def _named(variables: Mapping[str, Variable], name: str | None) -> Variable | None:
    return variables.get(name) if name is not None else None


def _owner(variable: Variable | None) -> str | None:
    return (owner(variable.path) or variable.path) if variable is not None else None


def _counterpart(path: str, owners: Mapping[str, str]) -> str:
    """Where a variable without a partner would be on the other side, by the partners of its siblings."""
    other = owners.get(owner(path), owner(path))
    return f"{other}/{leaf(path)}" if other else leaf(path)


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
