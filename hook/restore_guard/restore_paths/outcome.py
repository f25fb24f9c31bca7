"""What a restore does: which saved value each variable of the model gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, ItemsView, Iterator, Mapping, ValuesView
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import msgspec

from restore_guard.signature import Signature

SavedStage = Literal["untrained", "trained"]
RestoredStage = Literal["uncalled", "untrained", "trained"]
Kind = Literal["restores", "partial", "raises", "unsupported"]


class Situation(NamedTuple):
    """At which stage the model was that saved, and at which one the model is that restores; see `situations`."""

    saved: SavedStage
    restored: RestoredStage


class Refusal(msgspec.Struct, frozen=True):
    """Why an object cannot take what was saved under its name, where one of both is no variable.

    Attributes:
        message: what the framework says.
        what: the kind of object, the types of a table's keys and values, the shapes of its rows, or that nothing was
            saved under this name.
        was, now: both in words.
    """

    message: str
    what: Literal["kind", "dtype", "shape", "added"]
    was: str
    now: str


class Failure(msgspec.Struct, frozen=True):
    """Something that makes the load call raise.

    Attributes:
        message: what the framework says, in its words where they are known.
        saved, model: paths of the variables involved on either side; of a refusal, where each side keeps the object.
        revived: False where it was the saved configuration that no model could be made of.
    """

    message: str
    saved: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    revived: bool = True
    refusal: Refusal | None = None


class Outcome(msgspec.Struct, frozen=True, dict=True):
    """The outcome of one restore path.

    Attributes:
        kind: see the vocabulary of the design.
        assigned: {variable of the model: saved variable whose value it gets}.
        converted: {variable of the model: the saved variables that loading makes its value of}; none of them where
            loading gives it a value that changes nothing.
        addresses: {variable of the model or of the checkpoint: where this path keeps it}, for messages.
        initial: variables of the model that keep their initial value.
        unused: saved variables whose value nothing takes.
        reshaped: variables of the model that take a value of another shape, which only a TF1-style graph lets them.
        lost: addresses in the checkpoint of objects that hold values, are no variables, and reach nothing.
        certain: False where a layer saves or loads by code of its own, which only a witness can judge.
        contradicted: True where a real restore was of other variables than the simulation knows, so that neither
            can be trusted.
        witnessed: True where a real restore did what is said here.
        situation: in which this happens; None where the stages of the models do not matter.
    """

    kind: Kind
    assigned: Mapping[str, str] = msgspec.field(default_factory=dict)
    converted: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    initial: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    saved_addresses: Mapping[str, str] = msgspec.field(default_factory=dict)
    model_addresses: Mapping[str, str] = msgspec.field(default_factory=dict)
    reshaped: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    certain: bool = True
    witnessed: bool = False
    contradicted: bool = False
    situation: Situation | None = None

    @cached_property
    def initials(self) -> frozenset[str]:
        return frozenset(self.initial)

    @cached_property
    def unuseds(self) -> frozenset[str]:
        return frozenset(self.unused)

    @cached_property
    def failures_of(self) -> Mapping[str, int]:
        """{variable of either side: number of the first failure that it is in}."""
        first: dict[str, int] = {}
        for number, failure in enumerate(self.failures):
            for name in (*failure.saved, *failure.model):
                first.setdefault(name, number)
        return first

    @property
    def error(self) -> str | None:
        return self.failures[0].message if self.failures else None


_INNER = re.compile(
    r"(?:Exception encountered:|Example error message for object [^\n]*:)\s*(\S.*)"
    r"|(Key \S+ not found in checkpoint|Assign requires shapes.*)"
)


def gist(message: str) -> str:
    """The line of an error that says most: Keras and the Saver put the first error behind general ones."""
    inner = [said or told for said, told in _INNER.findall(message)]
    return inner[-1] if inner else _first_words(message)


def _first_words(message: str) -> str:
    """The first line that says something: Keras begins some errors with an empty one, behind the exception's name."""
    kind, colon, rest = message.partition(":")
    lines = [line.strip() for line in rest.splitlines() if line.strip()]
    if colon and kind.isidentifier() and lines:
        return f"{kind}: {lines[0]}"
    return next((line for line in message.splitlines() if line.strip()), "an error without a message")


class _Later(Mapping[str, str]):
    """A mapping that is made when it is first looked at: of most outcomes only the kind is asked."""

    def __init__(self, make: Callable[[], dict[str, str]]) -> None:
        self._make = make

    @cached_property
    def _mapping(self) -> dict[str, str]:
        return self._make()

    def __getitem__(self, key: str) -> str:
        return self._mapping[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._mapping)

    def __len__(self) -> int:
        return len(self._mapping)

    # What `Mapping` has for these asks for each key anew.

    def get(self, key: str, default: Any = None) -> Any:
        return self._mapping.get(key, default)

    def items(self) -> ItemsView[str, str]:
        return self._mapping.items()

    def values(self) -> ValuesView[str]:
        return self._mapping.values()


def settle(
    saved: Signature,
    model: Signature,
    *,
    assigned: Mapping[int, int],
    used: set[int],
    written: Collection[int],
    written_at: Callable[[], Mapping[int, str]],
    read_at: Callable[[], Mapping[int, str]],
    failures: tuple[Failure, ...] = (),
    converted: Mapping[int, tuple[int, ...]] = MappingProxyType({}),
    certain: bool = True,
) -> Outcome:
    """Makes an `Outcome` of what a simulation found; random-seed state never decides.

    Args:
        assigned: {position in model's variables: position in saved's variables}.
        used: positions of saved variables whose value some object took.
        written: positions in saved's variables of all that is saved.
        written_at: gives {position in saved's variables: address in the checkpoint}.
        read_at: gives {position in model's variables: address that the load looks at}.
        converted: {position in model's variables: positions in saved's variables of what its value is made of}.
    """
    olds, news = saved.variables, model.variables
    kept = sorted(set(range(len(news))).difference(assigned, converted)) if len(assigned) < len(news) else ()
    dropped = sorted(set(written).difference(used))
    initial = tuple(news[position].path for position in kept if not news[position].seed)
    unused = tuple(olds[position].path for position in dropped if not olds[position].seed)
    if certain and not failures:
        # Only the value in a file has a whole shape.
        for to, source in assigned.items():
            old, new = olds[source].shape, news[to].shape
            if old != new and not _surely(old, new):
                certain = False
                break
    kind: Kind = "raises" if failures else "partial" if initial or unused else "restores"
    return Outcome(
        kind,
        assigned=_Later(lambda: {news[to].path: olds[source].path for to, source in assigned.items()}),
        converted={news[to].path: tuple(olds[source].path for source in parts) for to, parts in converted.items()},
        initial=initial,
        unused=unused,
        failures=failures,
        saved_addresses=_Later(lambda: {olds[position].path: address for position, address in written_at().items()}),
        model_addresses=_Later(lambda: {news[position].path: address for position, address in read_at().items()}),
        certain=certain,
    )


def compatible(one: tuple[int | None, ...] | None, other: tuple[int | None, ...] | None) -> bool:
    """Whether a value may have both shapes; None is an unknown dimension, or an unknown rank."""
    if one == other or one is None or other is None:
        return True
    return len(one) == len(other) and all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))


def _surely(saved: tuple[int | None, ...] | None, model: tuple[int | None, ...] | None) -> bool:
    """Whether every value of the one shape fits the other, which the load call has not refused."""
    if saved is None or model is None:
        return model is None
    if None not in saved:
        return True
    return len(saved) == len(model) and all(new is None for old, new in zip(saved, model, strict=True) if old is None)
