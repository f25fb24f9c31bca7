"""Every variable of old checkpoints beside the one of the model that it is, with what becomes of it. Pure."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial

import msgspec

from restore_guard.judging.comparison import Comparison
from restore_guard.judging.correspondence import shared
from restore_guard.result import Fate, Row, Seen
from restore_guard.signature import Signature, Variable

NEAR = 3
"""Near misses that are told of a variable."""
COMPARED = 20
"""Among how many the likest names are looked for."""
LOST: frozenset[Fate] = frozenset(("initial", "dropped", "raises", "stopped"))
"""What may have a near miss: it has no value, or its value no place."""

Pair = tuple[Variable | None, Variable | None]
Names = tuple[str | None, str | None]


class _Entry(msgspec.Struct):
    """A row in the making."""

    saved: Variable | None
    now: Variable | None
    fates: dict[str, Fate] = msgspec.field(default_factory=dict)
    got: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def names(self) -> Names:
        return self.saved.path if self.saved is not None else None, self.now.path if self.now is not None else None


def table(comparisons: Sequence[Comparison]) -> tuple[Row, ...]:
    """A row for each variable, in the order of the model; a saved one with no partner follows the one before it."""
    entries: dict[Names, _Entry] = {}
    for comparison in comparisons:
        paths = {path: _Path(comparison, path) for path in comparison.outcomes}
        for saved, now in _pairs(comparison):
            made = _Entry(saved, now)
            entry = entries.setdefault(made.names, made)
            for path, loaded in paths.items():
                entry.fates[path], other = loaded.fate(*made.names)
                if other is not None:
                    entry.got[path] = other
    near = _near(entries.values())
    return tuple(
        Row(_seen(entry.saved), _seen(entry.now), entry.fates, entry.got, near.get(names, ()))
        for names, entry in entries.items()
    )


def fresh(model: Signature) -> tuple[Row, ...]:
    """The rows of a model of which there is no older checkpoint."""
    return tuple(Row(None, _seen(variable)) for variable in model.variables if not variable.seed)


def _pairs(comparison: Comparison) -> Iterator[Pair]:
    """The state of random seeds is no row: it never decides."""
    same, after, last = comparison.same, defaultdict[str | None, list[Variable]](list), None
    olds = {name: variable for name, variable in comparison.olds.items() if not variable.seed}
    for name, variable in olds.items():
        partner = comparison.news.get(same.new(name) or "")
        if partner is None or partner.seed:
            after[last].append(variable)
        else:
            last = name
    yield from ((lone, None) for lone in after[None])
    for now in comparison.model.variables:
        if not now.seed:
            saved = olds.get(same.old(now.path) or "")
            yield saved, now
            yield from ((lone, None) for lone in (after[saved.path] if saved is not None else ()))


class _Path:
    """One restore path of a comparison."""

    def __init__(self, comparison: Comparison, path: str) -> None:
        self.outcome = comparison.outcomes[path]
        self.misplaced: Mapping[str, str] = comparison.misplaced(path) if self.loads else {}
        self.unwritten = comparison.unsaved_before[path]

    @property
    def loads(self) -> bool:
        return self.outcome.kind in ("restores", "partial")

    @cached_property
    def blamed(self) -> tuple[set[str], set[str]]:
        """What the load call raises over, of either side."""
        failures = self.outcome.failures
        return {name for one in failures for name in one.saved}, {name for one in failures for name in one.model}

    @cached_property
    def takers(self) -> dict[str, str]:
        """{saved variable: the variable that takes its value}."""
        return {saved: now for now, saved in self.outcome.assigned.items()}

    def fate(self, saved: str | None, now: str | None) -> tuple[Fate, str | None]:
        """What becomes of a pair, and the other variable that it is about."""
        if self.outcome.kind == "unsupported":
            return "unsupported", None
        if not self.loads:
            return ("raises" if saved in self.blamed[0] or now in self.blamed[1] else "stopped"), None
        if now is not None:
            return self._of_model(saved, now)
        return self._of_saved(saved or "")

    def _of_model(self, saved: str | None, now: str) -> tuple[Fate, str | None]:
        outcome = self.outcome
        if now in self.misplaced:
            return "misplaced", self.misplaced[now]
        if now in outcome.initials:
            return "unwritten" if saved in self.unwritten else "initial", None
        if now in outcome.converted:
            return "converted", None
        source = outcome.assigned.get(now)
        if source is None:
            return "unwritten", None
        if saved is not None and source != saved and saved in outcome.unuseds:
            return "misplaced", source
        return "restored", source if source != saved else None

    def _of_saved(self, saved: str) -> tuple[Fate, str | None]:
        if saved in self.outcome.unuseds:
            return "dropped", None
        return ("elsewhere", self.takers[saved]) if saved in self.takers else ("unwritten", None)


def _near(entries: Iterable[_Entry]) -> dict[Names, tuple[str, ...]]:
    """{names of a row with one side: what has no partner on the other side, and its shape and type}."""
    alone = [one for one in entries if (one.saved is None) != (one.now is None) and LOST & {*one.fates.values()}]
    saved = {one.names: one.saved for one in alone if one.saved is not None}
    now = {one.names: one.now for one in alone if one.now is not None}
    return _likest(saved, now.values()) | _likest(now, saved.values())


def _likest(named: Mapping[Names, Variable], others: Iterable[Variable]) -> dict[Names, tuple[str, ...]]:
    alike: dict[object, list[str]] = defaultdict(list)
    for other in others:
        alike[other.shape, other.dtype].append(other.path)
    return {
        names: tuple(heapq.nlargest(NEAR, alike[one.shape, one.dtype][:COMPARED], key=partial(shared, one.path)))
        for names, one in named.items()
    }


def _seen(variable: Variable | None) -> Seen | None:
    if variable is None:
        return None
    site = variable.site
    at = (site.file, site.line) if site is not None else ("", 0)
    return Seen(variable.path, variable.shape, variable.dtype, variable.owner, *at)
