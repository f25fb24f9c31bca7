"""Repairs of a line that a finding stands at: what a rule's advice would look like in the source. Pure, and not tried.

Each keeps what the change wanted as far as it can: the old attribute's name beside the new one or in its place, the
old `name=`, the old order of lines, the old default given at the call.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from restore_guard.python_text import parsed
from restore_guard.result import Finding

_APART = 3
"""Changed lines with no more lines between them belong together."""
_LONGEST = 40
"""Lines of a repair; nobody reads a longer one."""

_NAME = re.compile(r"""(\bname\s*=\s*)(["'])[^"']*\2""")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Repair(NamedTuple):
    """Lines of a file, from 1, and what would stand in their place."""

    file: str
    first: int
    last: int
    lines: tuple[str, ...]

    def apply(self, text: str) -> str:
        """The text of the file with it."""
        old = text.splitlines(keepends=True)
        end = "\r\n" if old and old[0].endswith("\r\n") else "\n"
        return "".join([*old[: self.first - 1], *(line + end for line in self.lines), *old[self.last :]])


def repairs(finding: Finding, base: str, head: str, others: Iterable[tuple[str, str]]) -> Iterator[Repair]:
    """What might mend a finding, the least change first.

    Args:
        base, head: the text of the finding's file on either side.
        others: (file, text) of the model's sources at the head, where a changed default may be called.
    """
    tree = parsed(head)
    if tree is None or not 1 <= finding.line <= len(head.splitlines()):
        return
    names = _renamed(finding)
    if names is not None:
        yield from _beside(finding, head, tree, *names)
        yield from _back(finding, head, tree, *names)
    region = _region(base.splitlines(), head.splitlines(), finding.line)
    if region is not None:
        old, new, first = region
        if sorted(old) == sorted(new) or _only_names(old, new):
            yield Repair(finding.file, first, first + len(new) - 1, tuple(old))
    yield from _defaults(finding, base, tree, others)


def _renamed(finding: Finding) -> tuple[str, str] | None:
    """The one part of a variable's path that is another."""
    old, new = ((name or "").split("/") for name in (finding.old, finding.new))
    other = [(one, two) for one, two in zip(old, new, strict=False) if one != two]
    if finding.rule != "variable-renamed" or len(old) != len(new) or len(other) != 1:
        return None
    return other[0] if all(part.isidentifier() for part in other[0]) else None


def _beside(finding: Finding, head: str, tree: ast.Module, old: str, new: str) -> Iterator[Repair]:
    """`self.old = self.new = ...`"""
    line = head.splitlines()[finding.line - 1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.lineno == finding.line:
            target = node.targets[0]
            if isinstance(target, ast.Attribute) and target.attr == new:
                start = _column(line, target.col_offset)
                beside = f"{ast.unparse(target.value)}.{old} = "
                yield Repair(finding.file, finding.line, finding.line, (line[:start] + beside + line[start:],))


def _back(finding: Finding, head: str, tree: ast.Module, old: str, new: str) -> Iterator[Repair]:
    """The old name wherever the new one is used."""
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    used = [node for node in attributes if node.attr == new and node.end_lineno is not None]
    lines = head.splitlines()
    if not used or any(node.attr == old for node in attributes):
        return
    first, last = min(node.lineno for node in used), max(node.end_lineno or 0 for node in used)
    if last - first < _LONGEST:
        pattern = re.compile(rf"(?<=\.){re.escape(new)}\b")
        changed = tuple(pattern.sub(old, line) for line in lines[first - 1 : last])
        yield Repair(finding.file, first, last, changed)


def _region(base: list[str], head: list[str], line: int) -> tuple[list[str], list[str], int] | None:
    """The changed lines around a line as (before, after, the first of after)."""
    blocks: list[list[int]] = []
    for kind, b1, b2, h1, h2 in difflib.SequenceMatcher(None, base, head, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        if blocks and h1 - blocks[-1][3] <= _APART:
            blocks[-1][1], blocks[-1][3] = b2, h2
        else:
            blocks.append([b1, b2, h1, h2])
    for b1, b2, h1, h2 in blocks:
        if h1 < line <= max(h2, h1 + 1) and h1 < h2 and b2 - b1 <= _LONGEST:
            return base[b1:b2], head[h1:h2], h1 + 1
    return None


def _only_names(old: list[str], new: list[str]) -> bool:
    """Whether lines differ in the names that they give alone."""
    same = [_NAME.sub(r"\1", line) for line in old] == [_NAME.sub(r"\1", line) for line in new]
    return same and old != new


def _defaults(finding: Finding, base: str, tree: ast.Module, others: Iterable[tuple[str, str]]) -> Iterator[Repair]:
    """The old default, given where it was not."""
    before = parsed(base)
    functions = {} if before is None else dict(_functions(before))
    for name, function in _functions(tree):
        last = function.body[0].lineno - 1
        if name not in functions or not function.lineno <= finding.line <= max(last, function.lineno):
            continue
        olds, news = _given(functions[name]), _given(function)
        changed = {key: value for key, value in olds.items() if key in news and news[key] != value}
        called = name.rpartition(".")[0].rpartition(".")[2] if name.endswith(".__init__") else function.name
        if len(changed) == 1 and called:
            (argument, value), place = next(iter(changed.items())), _position(function, next(iter(changed)))
            yield from _at_call(others, called, argument, value, place - name.endswith(".__init__"))


def _at_call(
    texts: Iterable[tuple[str, str]], called: str, argument: str, value: str, position: int
) -> Iterator[Repair]:
    calls = []
    for file, text in texts:
        for node in ast.walk(parsed(text) or ast.Module([], [])):
            if isinstance(node, ast.Call) and _called(node.func) == called and node.lineno == node.end_lineno:
                known = [keyword.arg for keyword in node.keywords]
                if argument not in known and None not in known and len(node.args) <= position:
                    calls.append((file, text, node))
    if len(calls) == 1:
        file, text, node = calls[0]
        line = text.splitlines()[node.lineno - 1]
        end = _column(line, node.end_col_offset or 0) - 1
        separator = ", " if node.args or node.keywords else ""
        yield Repair(file, node.lineno, node.lineno, (f"{line[:end]}{separator}{argument}={value}{line[end:]}",))


def _functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """(dotted name, function) of a module and of its classes."""

    def inside(body: Iterable[ast.stmt], prefix: str) -> Iterator[tuple[str, Function]]:
        for node in body:
            if isinstance(node, Function):
                yield prefix + node.name, node
            elif isinstance(node, ast.ClassDef):
                yield from inside(node.body, f"{prefix}{node.name}.")

    return inside(tree.body, "")


def _given(function: Function) -> dict[str, str]:
    """{argument: its default}."""
    plain = [*function.args.posonlyargs, *function.args.args]
    pairs = [*zip(reversed(plain), reversed(function.args.defaults), strict=False)]
    pairs += [
        (arg, value) for arg, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if value
    ]
    return {argument.arg: ast.unparse(value) for argument, value in pairs}


def _position(function: Function, argument: str) -> int:
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    return names.index(argument) if argument in names else len(names)


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _column(line: str, offset: int) -> int:
    """ast counts bytes."""
    return len(line.encode()[:offset].decode())
