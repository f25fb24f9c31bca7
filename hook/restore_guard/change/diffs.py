"""Lines of the base mapped to lines of the head."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

import msgspec

from restore_guard.change import edits, layout
from restore_guard.change.edits import Edit
from restore_guard.signature import Holder, Input, Variable


class Place(NamedTuple):
    """A line of a file, from 1; line 0 stands for the file as a whole."""

    file: str
    line: int


def place(item: Variable | Holder | Input) -> Place | None:
    """The line that created it."""
    return Place(item.site.file, item.site.line) if item.site is not None else None


class FileDiff(msgspec.Struct, frozen=True):
    """How one changed file's lines moved.

    Attributes:
        path: the head's name of the file, None where it was deleted.
        old_text, new_text: its content on either side.
    """

    path: str | None
    old_text: str
    new_text: str


class Diff:
    """What changed between base and head, for the files that were handed over; all others are unchanged.

    Attributes:
        entry: {key of the model's configuration that changed: its line}; see `change.entry`.
        builder: (file, function) that makes the model; empty where it is not known.
        compared: False where there is no older source to compare with: what is asked about stands where it is made.
    """

    def __init__(
        self,
        files: Mapping[str, FileDiff],
        read: Callable[[str], str | None] = lambda _: None,
        entry: Mapping[str, Place] | None = None,
        builder: tuple[str, str] = ("", ""),
        compared: bool = True,
    ) -> None:
        """
        Args:
            files: {base's name of a changed file: FileDiff}; an added file has its own name and no old text.
            read: {unchanged file: its text}.
            compared: False where only the head's sources are there, as for a checkpoint file.
        """
        self._read, self.entry, self.builder, self.compared = read, entry or {}, builder, compared
        self._files = {name: _lines(diff) for name, diff in files.items()}
        self._heads = {lines.path: lines for lines in self._files.values() if lines.path is not None}

    @property
    def is_empty(self) -> bool:
        """True where there are no lines to compare, as for a checkpoint file."""
        return not self._files

    @property
    def is_cosmetic(self) -> bool:
        """True where nothing changed but comments, docstrings and the layout of Python files."""
        return all(lines.is_cosmetic for lines in self._files.values())

    def head(self, place: Place) -> Place | None:
        """The line of the head that a line of the base has become, None where it was changed or removed."""
        lines = self._files.get(place.file)
        if lines is None:
            return place
        line = lines.moved.get(place.line)
        return Place(lines.path, line) if line is not None and lines.path is not None else None

    def is_changed(self, place: Place) -> bool:
        """True where a line of the head is new or changed."""
        lines = self._heads.get(place.file)
        return lines is not None and place.line in lines.changed_set

    def same_change(self, old: Place, new: Place) -> bool:
        """True where a line of the base was replaced, in one block, by lines that hold the head's line."""
        block = self.block_before(old)
        return block is not None and block == self.block_after(new)

    def block_before(self, old: Place) -> Hashable | None:
        """The block of changes that a line of the base was replaced in, or None."""
        lines = self._files.get(old.file)
        return (lines.path, lines.before[old.line]) if lines is not None and old.line in lines.before else None

    def block_after(self, new: Place) -> Hashable | None:
        """The block of changes that a line of the head is in, or None."""
        lines = self._heads.get(new.file)
        return (lines.path, lines.after[new.line]) if lines is not None and new.line in lines.after else None

    @cached_property
    def edits(self) -> tuple[dict[str, list[Edit]], dict[str, list[Edit]]]:
        """{file: what was edited in it} by the names of the base, and by those of the head."""
        before, after = {}, {}
        for name, lines in self._files.items():
            if lines.path is not None:
                before[name] = after[lines.path] = lines.edits
        return before, after

    def text(self, side: int, file: str) -> str | None:
        """The content of a file of the base (0) or the head (1)."""
        lines = (self._files, self._heads)[side].get(file)
        if lines is not None:
            return (lines.diff.old_text, lines.diff.new_text)[side]
        return self._read(file)

    def twin(self, side: int, file: str) -> str | None:
        """The other side's name of a file of the base (0) or the head (1); None for a deleted one."""
        if side == 0:
            return self._files[file].path if file in self._files else file
        lines = self._heads.get(file)
        return next(name for name, other in self._files.items() if other is lines) if lines is not None else file

    def is_one_edit(self, one: Place, other: Place) -> bool:
        """Whether two lines of the head are in one block of changes."""
        block = self.block_after(one)
        return block is not None and block == self.block_after(other)

    def nearest_edit(self, place: Place) -> Place | None:
        """The edited line of its file that is nearest to a line of the head."""
        lines = [line for edit in self.edits[1].get(place.file, ()) for line in (*edit.after, edit.at)]
        line = min(lines, key=lambda line: abs(line - place.line), default=None)
        return Place(place.file, line) if line is not None else None

    def only_edit(self) -> Place | None:
        """Where the one block stands that does all that was changed; None where there are several, or none."""
        edited = [(file, edit) for file, found in self.edits[1].items() for edit in found if edit.before or edit.after]
        if len(edited) != 1:
            return None
        ((file, edit),) = edited
        return Place(file, next(iter(edit.after), edit.at))

    def removal(self, old: Place) -> Place | None:
        """Where in the head a removed line of the base would have stood."""
        lines = self._files.get(old.file)
        return Place(lines.path, lines.place_of(old.line)) if lines is not None and lines.path is not None else None


@lru_cache(64)  # models share files, and so their changes
def _lines(diff: FileDiff) -> _Lines:
    return _Lines(diff)


_MOST_LINES, _MOST_PAIRS = 20_000, 1_000_000
"""Of both sides, and of like lines on them: to compare more thoroughly takes long, and no person wrote them."""


def _like(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int]]:
    """The blocks of like lines, as (begin in the old, begin in the new, length); the last one is empty."""
    counts, others = Counter(old), Counter(new)
    pairs = sum(number * others[line] for line, number in counts.items())
    if pairs <= _MOST_PAIRS and len(old) + len(new) <= _MOST_LINES:
        yield from SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        return
    # What is there once tells where it belongs; of all else, what stands beside it.
    places = {line: number for number, line in enumerate(new) if counts[line] == others[line] == 1}
    anchors = _rising([(number, places[line]) for number, line in enumerate(old) if line in places])
    ends = [(-1, -1), *anchors, (len(old), len(new))]
    for (before, before_new), (after, after_new) in pairwise(ends):
        one, other = old[before + 1 : after], new[before_new + 1 : after_new]
        first = _common(one, other)
        last = _common(one[first:][::-1], other[first:][::-1])
        yield before + 1, before_new + 1, first
        yield after - last, after_new - last, last + (after < len(old))
    yield len(old), len(new), 0


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The most of some pairs, which are in the order of their first numbers, that rise in both."""
    lowest: list[int] = []
    ends: list[int] = []
    previous: list[int | None] = []
    for number, (_, second) in enumerate(pairs):
        length = bisect_left(lowest, second)
        previous.append(ends[length - 1] if length else None)
        lowest[length : length + 1], ends[length : length + 1] = [second], [number]
    found, at = [], ends[-1] if ends else None
    while at is not None:
        found.append(pairs[at])
        at = previous[at]
    return found[::-1]


def _common(one: list[str], other: list[str]) -> int:
    """How many lines both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (line, its) in pairs if line != its), min(len(one), len(other)))


class _Lines:
    def __init__(self, diff: FileDiff) -> None:
        old, new = diff.old_text.splitlines(), diff.new_text.splitlines()
        self.diff, self.path = diff, diff.path
        self.moved: dict[int, int] = {}
        self.blocks: list[tuple[range, range]] = []
        self.changed: list[int] = []
        self.last = max(1, len(new))
        line, line_after = 1, 1
        for a, b, size in _like(old, new):
            before, after = range(line, a + 1), range(line_after, b + 1)
            if before or after:
                self.blocks.append((before, after))
                self.changed.extend(after)
            self.moved.update(zip(range(a + 1, a + size + 1), range(b + 1, b + size + 1), strict=True))
            line, line_after = a + size + 1, b + size + 1
        self.changed_set = set(self.changed)
        self.before, self.after = (
            {line: number for number, block in enumerate(self.blocks) for line in block[side]} for side in (0, 1)
        )

    @cached_property
    def edits(self) -> list[Edit]:
        return edits.edits(self.path or "", self.diff.old_text, self.diff.new_text, self.blocks)

    @property
    def is_cosmetic(self) -> bool:
        if self.path is None or not self.path.endswith(".py"):
            return False
        old, new = (layout.digest(text.encode()) for text in (self.diff.old_text, self.diff.new_text))
        return old == new

    def place_of(self, line: int) -> int:
        for before, after in self.blocks:
            if line in before:
                return min(max(after.start + min(line - before.start, max(0, len(after) - 1)), 1), self.last)
        return self.moved.get(line, 1)
