"""The parts of a change that can do anything: no comments, docstrings, imports, blank lines or version numbers."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from restore_guard.change import layout, syntax
from restore_guard.python_text import parsed

_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
_VERSION = re.compile(r"_*(version|author|date|all|copyright|license)(_info)?_*", re.IGNORECASE)


class Edit(NamedTuple):
    """A block of lines that were replaced, added or removed; a line of either side from 1.

    Attributes:
        before, after: the lines of the base and of the head that can do anything; of an addition or a removal, one
            side has none.
        gap_before, gap_after: the first line behind the block on either side; in the head the last one with something
            in it.
        at: the line of the head where the block stands.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    gap_before: int
    gap_after: int
    at: int


def edits(path: str, old: str, new: str, blocks: Sequence[tuple[range, range]]) -> list[Edit]:
    """Returns what of a file's changed blocks can do anything."""
    is_python = path.endswith(".py")
    olds, news = (_python(text) if is_python else _data(text) for text in (old, new))
    lines = new.splitlines()
    last = max(1, len(lines))
    found = []
    for before, after in blocks:
        one, other = (tuple(n for n in span if side.get(n)) for span, side in ((before, olds), (after, news)))
        while one and other and olds[one[0]] == news[other[0]]:
            one, other = one[1:], other[1:]
        while one and other and olds[one[-1]] == news[other[-1]]:
            one, other = one[:-1], other[:-1]
        if [word for n in one for word in olds[n]] != [word for n in other for word in news[n]]:
            at = other[0] if other else filled(lines, min(max(1, after.start), last))
            found.append(Edit(one, other, before.stop, filled(lines, min(after.stop, last)), at))
    return found


def filled(lines: Sequence[str], line: int) -> int:
    """A line, or the one before it if it is blank."""
    while line > 1 and line <= len(lines) and not lines[line - 1].strip():
        line -= 1
    return line


@lru_cache(64)
def _python(text: str) -> dict[int, list[str]]:
    """{line: its words}, of the lines that can do anything; a comma before a closing bracket is layout."""
    plain = layout.tree(text.encode())
    if plain is None:
        return _data(text)
    idle = set(_idle(text, plain))
    words: dict[int, list[str]] = {}
    try:
        for kind, word, (line, _), (end, _), _ in tokenize.generate_tokens(io.StringIO(text).readline):
            if kind in _LAYOUT or line in idle:
                continue
            words.setdefault(line, []).append(word)
            for further in range(line + 1, end + 1):  # a string over lines
                words.setdefault(further, []).append("")
    except (tokenize.TokenError, SyntaxError):
        return _data(text)
    return words


def _idle(text: str, plain: ast.Module) -> Iterator[int]:
    """The lines of docstrings, imports and version numbers."""
    for node in ast.walk(parsed(text) or plain):
        match node:
            case ast.Expr(value=ast.Constant(value=str())) | ast.Import() | ast.ImportFrom():
                yield from syntax.lines(node)
    for node in plain.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if _VERSION.fullmatch(name):
                yield from syntax.lines(node)


@lru_cache(64)
def _data(text: str) -> dict[int, list[str]]:
    lines = enumerate(text.splitlines(), 1)
    return {number: [line.strip()] for number, line in lines if line.strip() and line.strip()[:1] not in "#;"}
