"""Which variable of the head is which variable of the base, as a person would say it.

Restoring does not know identity; this is what tells a rename from a removal beside an addition.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable

from restore_guard.diffs import Diff, Place
from restore_guard.signature import Signature, Variable


def correspond(saved: Signature, model: Signature, diff: Diff) -> dict[str, str]:
    """Returns {path of a variable of the model: path of the variable of `saved` that it is}.

    The surest evidence goes first: the same line of source and the same path; the same line, where as many
    were created there before and after; the same path; then, for whole owners, the same block of changed
    lines, type and shapes.
    """
    matching = _Matching(saved, model)
    lines = {variable.path: _line(variable, diff.head) for variable in saved.variables}
    lines |= {f"+{variable.path}": _line(variable, lambda place: place) for variable in model.variables}
    counts_saved = Counter(lines[variable.path] for variable in saved.variables)
    counts_model = Counter(lines[f"+{variable.path}"] for variable in model.variables)

    def line_of_saved(variable: Variable) -> Hashable | None:
        return lines[variable.path]

    def line_of_model(variable: Variable) -> Hashable | None:
        return lines[f"+{variable.path}"]

    def both(line: Callable) -> Callable:
        return lambda variable: line(variable) and (*line(variable), variable.path)

    def creation(line: Callable) -> Callable:
        def key(variable: Variable) -> Hashable | None:
            at = line(variable)
            if at is None or counts_saved[at] != counts_model[at]:
                return None
            return (*at, variable.site.number, leaf(variable.path))

        return key

    matching.by(both(line_of_saved), both(line_of_model))
    matching.by(creation(line_of_saved), creation(line_of_model))
    matching.by(lambda variable: variable.path, lambda variable: variable.path)
    matching.owners(diff)
    matching.alone(diff)
    return matching.pairs


def owner(path: str) -> str:
    """The path of what holds a variable, "" for the model itself."""
    return path.rpartition("/")[0]


def leaf(path: str) -> str:
    return path.rpartition("/")[2]


def place(variable: Variable) -> Place | None:
    return Place(variable.site.file, variable.site.line) if variable.site is not None else None


def _line(variable: Variable, to_head: Callable[[Place], Place | None]) -> tuple | None:
    at = place(variable)
    at = to_head(at) if at is not None else None
    return (at, variable.owner) if at is not None else None


class _Matching:
    def __init__(self, saved: Signature, model: Signature) -> None:
        self.saved = {variable.path: variable for variable in saved.variables}
        self.model = {variable.path: variable for variable in model.variables}
        self.pairs: dict[str, str] = {}

    def pair(self, old: Variable, new: Variable) -> None:
        del self.saved[old.path], self.model[new.path]
        self.pairs[new.path] = old.path

    def by(
        self,
        key_of_saved: Callable[[Variable], Hashable | None],
        key_of_model: Callable[[Variable], Hashable | None],
    ) -> None:
        """Pairs what has the same key, where the key is unique on both sides."""
        olds, news = _unique(self.saved.values(), key_of_saved), _unique(self.model.values(), key_of_model)
        for key, old in olds.items():
            if key in news:
                self.pair(old, news[key])

    def owners(self, diff: Diff) -> None:
        """Pairs renamed owners: all of their free variables are equal in form.

        First within one block of changed lines, then the most similar path, then in order.
        """
        olds, news = _forms(self.saved.values()), _forms(self.model.values())

        def likeness(old: list[Variable], new: list[Variable]) -> tuple[int, int]:
            return _same_change(old[0], new[0], diff), _shared(owner(old[0].path), owner(new[0].path))

        for form in olds.keys() & news.keys():
            for old, new in _assign(olds[form], news[form], likeness):
                for before, after in zip(old, new, strict=True):
                    self.pair(before, after)

    def alone(self, diff: Diff) -> None:
        """Pairs single variables: in the same block of changed lines by name, or equal in form below one owner."""
        for old in list(self.saved.values()):
            candidates = [
                new
                for new in self.model.values()
                if (_same_change(old, new, diff) and leaf(old.path) == leaf(new.path) and old.owner == new.owner)
                or (owner(old.path) == owner(new.path) and (old.shape, old.dtype) == (new.shape, new.dtype))
            ]
            if candidates:
                self.pair(old, max(candidates, key=lambda new: (_same_change(old, new, diff), _shared(old.path, new.path))))


def _forms(variables: Iterable[Variable]) -> dict[Hashable, list[list[Variable]]]:
    """{form: the variables of each owner that has it, by name}; the model's own variables have no owner to rename."""
    owned = defaultdict(list)
    for variable in variables:
        if owner(variable.path):
            owned[owner(variable.path)].append(variable)
    forms = defaultdict(list)
    for held in owned.values():
        held.sort(key=lambda variable: leaf(variable.path))
        form = tuple((leaf(variable.path), variable.shape, variable.dtype) for variable in held)
        forms[held[0].owner, form].append(held)
    return forms


def _unique(variables: Iterable[Variable], key: Callable) -> dict[Hashable, Variable]:
    found, repeated = {}, set()
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


def _assign(olds: list, news: list, likeness: Callable) -> list[tuple]:
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


def _same_change(old: Variable, new: Variable, diff: Diff) -> int:
    before, after = place(old), place(new)
    return int(before is not None and after is not None and diff.same_change(before, after))


def _shared(old: str, new: str) -> int:
    """How many components two paths share, from both ends."""
    olds, news = old.split("/"), new.split("/")
    front = next((i for i, (a, b) in enumerate(zip(olds, news, strict=False)) if a != b), min(len(olds), len(news)))
    back = next(
        (i for i, (a, b) in enumerate(zip(olds[::-1], news[::-1], strict=False)) if a != b), min(len(olds), len(news))
    )
    return front + back
