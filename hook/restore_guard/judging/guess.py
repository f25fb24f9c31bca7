"""Which value of a file goes where, if no manifest knows the file: by names, shapes and order. Pure.

A guess is shown with how sure each pair is; only a person's yes makes it count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable

import msgspec

from restore_guard.judging.correspondence import shared
from restore_guard.judging.fit import Fit, in_words, of_optimizer, words
from restore_guard.judging.placements import Placement, Plan
from restore_guard.restore_paths.outcome import compatible
from restore_guard.signature import Signature, Variable, leaf

NAME, LIKE, ONLY, ORDER = "same name", "likest name of its shape", "only one of its shape", "by its order"


class Guess(msgspec.Struct, frozen=True):
    """What a file's values may be.

    Attributes:
        plan: in the words of `fit`; what has no counterpart keeps its initial value, or is dropped.
        sure: {variable of the model: how sure its pair is}.
    """

    fit: Fit
    plan: Plan
    sure: dict[str, str]


def guess(file: Signature, path: str, model: Signature) -> Guess:
    """What a file may be in a model, its optimizer aside, whose slots nothing would tell apart."""
    matching = _Matching(
        {v.path: v for v in in_words(file).variables if not v.seed and not of_optimizer(v.path)},
        {v.path: v for v in model.variables if not v.seed and not of_optimizer(v.path)},
    )
    pairs = matching.run()
    placements = tuple(Placement(v.path, pairs[v.path][0] if v.path in pairs else None) for v in model.variables)
    held = words(file)
    used = {old for old, _ in pairs.values()}
    plan = Plan(placements, tuple(name for name in held if name not in used))
    return Guess(Fit(path, held=held), plan, {new: how for new, (_, how) in pairs.items()})


class _Matching(msgspec.Struct):
    olds: dict[str, Variable]
    news: dict[str, Variable]
    pairs: dict[str, tuple[str, str]] = msgspec.field(default_factory=dict)

    def run(self) -> dict[str, tuple[str, str]]:
        """{variable of the model: (name in the file, how sure)}."""
        for name in [name for name in self.news if name in self.olds]:
            if _fit(self.olds[name], self.news[name]):
                self.pair(name, name, NAME)
        for key in (_named, _formed):
            self.by_likeness(key)
        for key in (_named, _formed):
            self.by_order(key)
        return self.pairs

    def pair(self, old: str, new: str, how: str) -> None:
        self.pairs[new] = old, how
        del self.olds[old], self.news[new]

    def by_likeness(self, key: Callable[[Variable], Hashable]) -> None:
        """Pairs the only ones of a kind, and those whose names share more than they share with any other."""
        olds, news = _grouped(self.olds.values(), key), _grouped(self.news.values(), key)
        for kind in olds.keys() & news.keys():
            if len(olds[kind]) == len(news[kind]) == 1:
                self.pair(olds[kind][0], news[kind][0], ONLY)
                continue
            scores = {(old, new): shared(old, new) for old in olds[kind] for new in news[kind]}
            for (old, new), score in scores.items():
                rivals = [other for pair, other in scores.items() if (pair[0] == old) != (pair[1] == new)]
                if old in self.olds and new in self.news and score > max(rivals, default=0):
                    self.pair(old, new, LIKE)

    def by_order(self, key: Callable[[Variable], Hashable]) -> None:
        """Pairs as many as there are of a kind on both sides, in order."""
        olds, news = _grouped(self.olds.values(), key), _grouped(self.news.values(), key)
        for kind in olds.keys() & news.keys():
            if len(olds[kind]) == len(news[kind]):
                for old, new in zip(olds[kind], news[kind], strict=True):
                    self.pair(old, new, ORDER)


def _grouped(variables: Iterable[Variable], key: Callable[[Variable], Hashable]) -> dict[Hashable, list[str]]:
    found: dict[Hashable, list[str]] = defaultdict(list)
    for variable in variables:
        found[key(variable)].append(variable.path)
    return found


def _named(variable: Variable) -> Hashable:
    return leaf(variable.path), variable.shape, variable.dtype


def _formed(variable: Variable) -> Hashable:
    return variable.shape, variable.dtype


def _fit(old: Variable, new: Variable) -> bool:
    return compatible(old.shape, new.shape) and old.dtype == new.dtype
