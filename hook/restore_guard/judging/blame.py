"""Which line of a change did something to a layer or variable: the nearest one that its creation depends on."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import NamedTuple

import msgspec

from restore_guard.change import syntax
from restore_guard.change.diffs import Diff, Place
from restore_guard.change.edits import Edit
from restore_guard.change.sources import Sources
from restore_guard.judging.flow import Reached, Search
from restore_guard.judging.program import Code, Touched
from restore_guard.plain_data import Frame, Site
from restore_guard.signature import Signature

# What a line is worth that mentions the very name or size that changed, in steps of a search.
_CLUE = 3.0
# How far behind a name's own frames a line is that gives something that name.
_MENTIONED = 2.25
# Lines that nothing was seen to depend on, in a function that ran and in a file that did.
_SAME_FUNCTION, _SAME_FILE = 15.0, 20.0

Stack = tuple[Frame, ...]
Size = tuple[int | None, int | None]


class Clues(msgspec.Struct, frozen=True):
    """What the right line might mention: names, and sizes as pairs of old and new."""

    names: frozenset[str] = frozenset()
    sizes: frozenset[Size] = frozenset()


class Blamed(NamedTuple):
    """A line of the head, and how far it is from what it is blamed for; `is_gone` as of `program.Touched`."""

    place: Place
    cost: float
    is_gone: bool = False


class BlameQuery(NamedTuple):
    """Which change is looked for; it is asked of `Blame` alone, never of the probe as a `build.Job` is.

    Attributes:
        head, base: (cost, frames) of the creations on either side, from where to look.
        data: whether what layers are called with counts.
    """

    head: tuple[tuple[float, Stack], ...]
    base: tuple[tuple[float, Stack], ...]
    clues: Clues = Clues()
    data: bool = False


def stack(site: Site | None) -> Stack:
    """The frames of a creation."""
    if site is None:
        return ()
    return site.stack or (Frame(site.file, site.line),)


class Blame:
    """The change between two builds, asked for lines."""

    def __init__(self, saved: Signature, model: Signature, diff: Diff) -> None:
        self.saved, self.model, self.diff = saved, model, diff
        self._known: dict[BlameQuery, Blamed | None] = {}

    @cached_property
    def head(self) -> Code:
        return self._code(1, self.model)

    @cached_property
    def base(self) -> Code:
        code = self._code(0, self.saved)
        code.other, self.head.other = self.head, code
        return code

    def _code(self, number: int, signature: Signature) -> Code:
        def text(file: str) -> str | None:
            return self.diff.text(number, file)

        def twin(file: str) -> str | None:
            return self.diff.twin(number, file)

        edits = self.diff.edits[number]
        code = Code(
            Sources(text, {*signature.sources, *edits}), edits, number, self.diff.entry, self.diff.builder, twin
        )
        for kind, site in signature.created:
            code.note(kind, stack(site))
        return code

    def line(self, query: BlameQuery) -> Blamed | None:
        """The changed line behind something; None where no line is known."""
        if query not in self._known:
            self._known[query] = self._find(query)
        return self._known[query]

    def within(self, names: Collection[str]) -> Blamed | None:
        """The first edit in a function of one of these names, for what only such a function can have done."""
        for file in self.diff.edits[1]:
            for node in self.head.module(file).statements if file.endswith(".py") else ():
                if isinstance(node, ast.FunctionDef) and node.name in names:
                    for touched in self.head.touching(file, syntax.lines(node)):
                        return Blamed(touched.place, 0.0, touched.is_gone)
        return None

    def _find(self, query: BlameQuery) -> Blamed | None:
        if self.diff.is_empty and not self.diff.entry:
            made = [] if self.diff.compared else [frames for _, frames in sorted(query.head) if frames]
            return Blamed(Place(made[0][0].file, made[0][0].line), 0.0) if made else None
        found: list[Reached] = []
        for code, stacks in ((self.base, query.base), (self.head, query.head)):
            search = Search(code, query.data)
            for cost, frames in stacks:
                search.start(frames, cost)
            found += search.run(enough=_CLUE)
        found += self._mentions(query)
        found = found or list(self._left(query))
        ranked = [Blamed(item.place, item.cost - self._worth(item, query.clues), item.is_gone) for item in found]
        return min(ranked, key=lambda item: (item.cost, item.place), default=None)

    def _mentions(self, query: BlameQuery) -> Iterator[Reached]:
        """The lines that give something a name, in files through which the frames go."""
        files = {frame.file for _, frames in query.head for frame in frames}
        for name in query.clues.names:
            given = re.compile(rf"(?:\b|_){re.escape(name)}\b[\"']?\s*(?:=(?!=)|:)|[\"']{re.escape(name)}[\"']")
            for file in sorted(files & self.diff.edits[1].keys()):
                lines = (self.diff.text(1, file) or "").splitlines()
                for edit in self.diff.edits[1][file]:
                    yield from (
                        Reached(_MENTIONED, edit, Place(file, line))
                        for line in edit.after
                        if line <= len(lines) and given.search(lines[line - 1])
                    )

    def _worth(self, item: Reached, clues: Clues) -> float:
        if item.edit is None:
            return 0.0
        old, new = (self._words(number, item.edit, item.place) for number in (0, 1))
        if clues.names & new:
            return _CLUE
        for before, after in clues.sizes:
            if str(after) in new - old and (not old or str(before) in old):
                return _CLUE
        return 0.0

    def _words(self, number: int, edit: Edit, at: Place) -> set[str]:
        """The words of an edit: those of its own line in the head, and all of the base."""
        if number == 1 and at.line not in edit.after:
            return set()
        file = at.file if number == 1 else self.diff.twin(1, at.file)
        lines = (self.diff.text(number, file) or "").splitlines() if file is not None else []
        numbers = edit.before if number == 0 else (at.line,)
        return {word for n in numbers if n <= len(lines) for word in re.findall(r"\w+", lines[n - 1])}

    def _left(self, query: BlameQuery) -> Iterator[Reached]:
        """By elimination: what else changed in the functions that ran, or the only change in their files, or in all."""
        files = set()
        for code, stacks in ((self.base, query.base), (self.head, query.head)):
            for _, frames in stacks:
                files |= {(code.number, frame.file) for frame in frames}
                for scope, statement in code.follow(frames):
                    if scope.function is not None:
                        for touched in code.touching(scope.file, syntax.lines(scope.function)):
                            yield Reached(_SAME_FUNCTION + _far(touched.place.line, statement.lineno), *touched)
        left = self._edits(files | {(1, file) for file in self.head.data_files})
        if not left and self.saved.framework == self.model.framework:
            # No frame leads to a setting that holds for all, as a policy does: it is the only edit of what is read.
            left = self._edits({(1, file) for file in self.model.sources} | {(0, file) for file in self.saved.sources})
        if len({touched.edit for touched in left}) == 1:
            yield from (Reached(_SAME_FILE, *touched) for touched in left)

    def _edits(self, files: Collection[tuple[int, str]]) -> list[Touched]:
        """All edits of files, each of the base (0) or the head (1)."""
        return [
            touched
            for number, file in sorted(files)
            for touched in (self.base, self.head)[number].touching(file, range(1, 1 << 30))
        ]


def _far(line: int, other: int) -> float:
    return min(abs(line - other), 400) / 100
