"""What a restore does: which saved value each variable of the model gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from restore_guard.signature import Signature

Kind = Literal["restores", "partial", "raises", "unsupported"]


@dataclass(frozen=True)
class Failure:
    """Something that makes the load call raise.

    Attributes:
        message: what the framework says, in its words where they are known.
        saved, model: paths of the variables involved on either side.
        revived: False where it was the saved configuration that no model could be made of.
    """

    message: str
    saved: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    revived: bool = True


@dataclass(frozen=True)
class Outcome:
    """The outcome of one restore path.

    Attributes:
        kind: see the vocabulary of the design.
        assigned: {variable of the model: saved variable whose value it gets}.
        addresses: {variable of the model or of the checkpoint: where this path keeps it}, for messages.
        initial: variables of the model that keep their initial value.
        unused: saved variables whose value nothing takes.
        certain: False where a layer saves or loads by code of its own, which only a witness can judge.
        witnessed: True where a real restore did what is said here.
    """

    kind: Kind
    assigned: Mapping[str, str] = field(default_factory=dict)
    initial: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    saved_addresses: Mapping[str, str] = field(default_factory=dict)
    model_addresses: Mapping[str, str] = field(default_factory=dict)
    certain: bool = True
    witnessed: bool = False

    @property
    def error(self) -> str | None:
        return self.failures[0].message if self.failures else None


def gist(message: str) -> str:
    """The line of an error that says most: Keras and the Saver put the first error behind a general one."""
    inner = re.search(r"(?:Exception encountered|Original error):\s*(\S.*)", message)
    return inner[1] if inner else (message.splitlines() or ["an error without a message"])[0]


def settle(
    saved: Signature,
    model: Signature,
    *,
    assigned: Mapping[int, int],
    used: set[int],
    written: Mapping[int, str],
    read: Mapping[int, str],
    failures: tuple[Failure, ...] = (),
    certain: bool = True,
) -> Outcome:
    """Makes an `Outcome` of what a simulation found; random-seed state never decides.

    Args:
        assigned: {position in model's variables: position in saved's variables}.
        used: positions of saved variables whose value some object took.
        written: {position in saved's variables: address in the checkpoint} of all that is saved.
        read: {position in model's variables: address that the load looks at}.
    """
    initial = tuple(
        variable.path
        for position, variable in enumerate(model.variables)
        if position not in assigned and not variable.seed
    )
    unused = tuple(
        saved.variables[position].path
        for position in sorted(written)
        if position not in used and not saved.variables[position].seed
    )
    kind: Kind = "raises" if failures else "partial" if initial or unused else "restores"
    return Outcome(
        kind,
        assigned={model.variables[to].path: saved.variables[source].path for to, source in assigned.items()},
        initial=initial,
        unused=unused,
        failures=failures,
        saved_addresses={saved.variables[position].path: address for position, address in written.items()},
        model_addresses={model.variables[position].path: address for position, address in read.items()},
        certain=certain,
    )
