"""One side of a change as code that ran: its frames, who called whom, and which of its lines were edited."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import cached_property
from typing import NamedTuple

import msgspec

from restore_guard.change import syntax
from restore_guard.change.diffs import Place
from restore_guard.change.edits import Edit
from restore_guard.change.sources import Module, Sources
from restore_guard.plain_data import Frame

# From here on a line of the base and one of the head are taken for the same line, edited.
_ALIKE = 0.6


class Touched(NamedTuple):
    """An edit, and its line of the head; `is_gone` where nothing took the place of a line of the base."""

    edit: Edit
    place: Place
    is_gone: bool = False


class Scope(msgspec.Struct, frozen=True):
    """A function (None: the module itself) that ran; `type` is the class of its `self`."""

    file: str
    function: syntax.Function | None
    type: str | None = None
    caller: Caller | None = None


class Caller(NamedTuple):
    """Where a function was called; `call` is None where it is not one of the statement's own calls."""

    scope: Scope
    statement: syntax.Statement
    call: ast.Call | None


class Code:
    """One side of a change.

    Args:
        edits: {file: what changed in it}; `number` tells which of an edit's two sides this is.
        entry: {key of the model's configuration that changed, as `kwargs.width`: its line}.
        builder: (file, function) that makes the model.
        twin: the other side's name of a file.

    Attributes:
        other: the other side.
        scopes: {(file, function): how it ran, as some frames show it}.
        made: {class: where an object of it was made}.
    """

    def __init__(
        self,
        sources: Sources,
        edits: Mapping[str, list[Edit]],
        number: int,
        entry: Mapping[str, Place],
        builder: tuple[str, str],
        twin: Callable[[str], str | None],
    ) -> None:
        self.sources, self.edits, self.number, self.entry, self.builder = sources, edits, number, entry, builder
        self._twin = twin
        self.other: Code | None = None
        self.scopes: dict[tuple[str, syntax.Function | None], Scope] = {}
        self.made: dict[str, Caller] = {}

    def module(self, file: str) -> Module:
        return self.sources.module(file)

    @cached_property
    def data_files(self) -> list[str]:
        """The changed files that are no Python."""
        return [file for file in self.edits if not file.endswith(".py")]

    def touching(self, file: str, lines: range) -> Iterator[Touched]:
        """The edits in some lines of a file."""
        head = file if self.number == 1 else self._twin(file)
        if head is None:
            return
        for edit in self.edits.get(file, ()):
            own = edit.before if self.number == 0 else edit.after
            gap = edit.gap_before if self.number == 0 else edit.gap_after
            touched = [n for n, line in enumerate(own) if line in lines]
            if not touched and (own or not lines.start < gap < lines.stop):
                continue
            if self.number == 1 and own:
                yield from (Touched(edit, Place(head, own[n])) for n in touched)
            elif self.number == 1 or not touched or not edit.after:
                yield Touched(edit, Place(head, edit.at), is_gone=not edit.after)
            else:
                yield from (self._counterpart(file, head, edit, own[n]) for n in touched)

    def _counterpart(self, file: str, head: str, edit: Edit, line: int) -> Touched:
        """What a line of the base has become, or where it stood."""
        olds, news = ((text or "").splitlines() for text in (self.sources.text(file), self._other_text(head)))
        old = olds[line - 1].strip() if line <= len(olds) else ""
        likeness = {
            number: SequenceMatcher(None, old, news[number - 1].strip()).ratio()
            for number in edit.after
            if number <= len(news)
        }
        best = max(likeness, key=likeness.__getitem__, default=edit.at)
        place = edit.before.index(line)
        if likeness.get(best, 0) < _ALIKE and place >= len(edit.after):
            return Touched(edit, Place(head, edit.gap_after), is_gone=True)
        return Touched(edit, Place(head, best if likeness.get(best, 0) >= _ALIKE else edit.after[place]))

    def _other_text(self, head: str) -> str | None:
        return self.other.sources.text(head) if self.other is not None else None

    def across(self, file: str, edit: Edit) -> Iterator[ast.stmt]:
        """The other side's statements that an edit touches."""
        name = self._twin(file)
        if self.other is None or name is None:
            return
        module = self.other.module(name)
        for line in edit.after if self.number == 0 else edit.before:
            statement = module.statement(line)
            if statement is not None:
                yield statement

    def follow(self, frames: Iterable[Frame]) -> list[tuple[Scope, ast.stmt]]:
        """What ran in some frames, the innermost first."""
        found: list[tuple[Scope, ast.stmt]] = []
        caller: tuple[Scope, ast.stmt] | None = None
        for frame in reversed(list(frames)):
            module = self.module(frame.file)
            statement = module.statement(frame.line)
            if statement is None:
                continue
            function = module.function(statement)
            by = (
                Caller(*caller, syntax.call_of(function, module.owner(function), caller[1]))
                if caller and function
                else None
            )
            caller = Scope(frame.file, function, frame.type, by), statement
            if function is not None:
                self.scopes.setdefault((frame.file, function), caller[0])
            found.append(caller)
        return found[::-1]

    def note(self, kind: str, frames: Iterable[Frame]) -> None:
        """Remembers where an object of a class was made."""
        if kind not in self.made and (found := self.follow(frames)):
            scope, statement = found[0]
            self.made[kind] = Caller(scope, statement, syntax.call_named(kind, statement))
