"""Migrations: how the values of checkpoints of one epoch go into the model of the next, as a file that people review.

One TOML file a model beside its manifest, one table an epoch. It is data: it runs no code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from restore_guard import toml_text
from restore_guard.promise import patterns

Fill = Literal["initial", "zeros", "mean"]


class MigrationError(ValueError):
    """Migrations that cannot be read or do not hold; the message says what to do, `file` and `line` where."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.message = file, line, message


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all tables of the file share."""


class Rename(_Table, frozen=True, rename={"old": "from", "new": "to"}):
    """Values of variables of the old model go to others of the new one: patterns with the same wildcards."""

    old: str
    new: str


class Grow(_Table, frozen=True):
    """A variable that got longer along one axis: the saved values first, then what `fill` says."""

    variable: str
    axis: int
    fill: Fill = "initial"


class Open(_Table, frozen=True):
    """What nobody has decided yet: a saved value without a place, or a variable of the model without a value."""

    choose: str
    saved: str | None = None
    variable: str | None = None

    @property
    def name(self) -> str:
        return self.saved or self.variable or ""


class Migration(_Table, frozen=True, rename={"old": "from", "new": "to"}):
    """From one epoch to the next.

    Attributes:
        drop: saved values that go nowhere, on purpose.
        initial: variables that keep their initial value, on purpose.
        cast: variables of another dtype, on purpose.
        open: what `update` could not know; a migration that has any cannot be run.
    """

    old: int
    new: int
    reason: str
    rename: tuple[Rename, ...] = ()
    drop: tuple[str, ...] = ()
    initial: tuple[str, ...] = ()
    grow: tuple[Grow, ...] = ()
    cast: tuple[str, ...] = ()
    open: tuple[Open, ...] = ()


class Document(msgspec.Struct, forbid_unknown_fields=True):
    migration: tuple[Migration, ...] = ()


class Migrations(msgspec.Struct, frozen=True):
    """All migrations of a model, by the epoch that they start from, and the text that they stand in."""

    file: str
    text: str
    tables: tuple[Migration, ...] = ()

    def start(self, epoch: int) -> Migration | None:
        """The migration from an epoch to the next."""
        return next((table for table in self.tables if table.old == epoch), None)

    def chain(self, epochs: Iterable[int]) -> list[Migration]:
        """The migrations that lead to epochs, one after the other.

        Raises:
            MigrationError: one of them is missing.
        """
        found: list[Migration] = []
        for epoch in epochs:
            table = self.start(epoch - 1)
            if table is None:
                message = f"no migration leads from epoch {epoch - 1} to {epoch}: that break was accepted as it is."
                raise MigrationError(self.file, 1, message)
            found.append(table)
        return found

    def line(self, table: Migration, *words: str) -> int:
        """The line of a table that has all of the words in it; the table's first line where none has."""
        return line_of(self.text, self.tables.index(table), words)


# How the migrations of a model were found at one side: read, unreadable, or not there.
Found = Migrations | MigrationError | None


def parse(content: bytes, file: str) -> Migrations:
    """Reads migrations.

    Raises:
        MigrationError: not TOML, half-merged, a wrong key or type, a pattern that is none, epochs that lead nowhere.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MigrationError(file, line, "it is not UTF-8.") from error
    for number, content_line in enumerate(text.splitlines(), 1):
        if re.match(r"(<{7}|>{7}|={7})( |$)", content_line):
            raise MigrationError(file, number, "a merge conflict is not resolved.")
    try:
        data = toml_text.decode(content)
    except ValueError as error:
        place = re.search(r"\(at line (\d+)", str(error))
        line = int(place[1]) if place else len(text.splitlines()) or 1
        raise MigrationError(file, line, f"it is not valid TOML: {error}.") from error
    try:
        document = msgspec.convert(data, Document)
    except msgspec.ValidationError as error:
        raise MigrationError(file, _line_of_error(text, str(error)), f"{error}.") from error
    found = Migrations(file, text, document.migration)
    for table in found.tables:
        _check(found, table)
    return found


def line_of(text: str, number: int, words: Sequence[str] = ()) -> int:
    """The line, within the `number`-th migration of a text, with all of the words; else where that migration begins."""
    lines = text.splitlines()
    starts = [at for at, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*migration\s*\]\]", line)]
    if number >= len(starts):
        return 1
    start, end = starts[number], (starts + [len(lines) + 1])[number + 1]
    own = range(start, end)
    return next((at for at in own if words and all(word in lines[at - 1] for word in words)), start)


def quoted(name: str) -> str:
    """A name as it stands in the file."""
    return f'"{name}"'


def _check(found: Migrations, table: Migration) -> None:
    def refuse(message: str, *words: str) -> None:
        raise MigrationError(found.file, found.line(table, *words), message)

    if table.old < 1 or table.new != table.old + 1:
        refuse(f"from = {table.old}, to = {table.new}: a migration leads from an epoch to the next one.", "from")
    if found.start(table.old) is not table:
        refuse(f"another migration leads from epoch {table.old} as well.", "from")
    if not table.reason.strip():
        refuse("the reason is empty.", "reason")
    for pattern in _patterns(table):
        if (fault := patterns.fault(pattern)) is not None:
            refuse(f'"{pattern}" {fault}.', quoted(pattern))
    for entry in table.rename:
        if patterns.wildcards(entry.old) != patterns.wildcards(entry.new):
            refuse(
                f'"{entry.old}" and "{entry.new}" have other wildcards: what each stands for must be the same.',
                quoted(entry.old),
                quoted(entry.new),
            )
    for grown in table.grow:
        if grown.axis < 0:
            refuse(f"axis = {grown.axis}: axes are counted from 0.", quoted(grown.variable))
    for left in table.open:
        if (left.saved is None) == (left.variable is None):
            refuse("an open entry names either a saved value or a variable.", "choose")


def _patterns(table: Migration) -> Iterable[str]:
    for entry in table.rename:
        yield from (entry.old, entry.new)
    yield from (*table.drop, *table.initial, *table.cast)
    yield from (entry.variable for entry in table.grow)


def _line_of_error(text: str, error: str) -> int:
    """Where msgspec's path (`$.migration[0].rename[1].to`) leads, as near as a text search gets."""
    number = re.search(r"\$\.migration\[(\d+)\]", error)
    if number is None:
        return 1
    keys = re.findall(r"\.(\w+)", error.rpartition("`$.migration")[2])
    unknown = re.search(r"unknown field `(\w+)`", error)
    wanted = unknown[1] if unknown else keys[-1] if keys else ""
    return line_of(text, int(number[1]), (wanted,))
