"""Where a Python file leaves to chance what it builds: the order of a set, a random number, the time. Pure.

Two builds of such a file may differ; whether they do, only building it twice shows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from restore_guard.python_text import parsed

# Most files have nothing of it, and are not parsed.
_HINT = re.compile(
    rb"\b(set|frozenset|random|uuid[14]?|secrets|urandom|time|perf_counter|now|utcnow|hash|id)\b|\{[^{}:]+\}"
)
# These go through what they get in the order that it has.
_IN_ORDER = {"list", "tuple", "enumerate", "iter", "zip", "map", "filter", "dict.fromkeys"}
_SET_METHODS = {"union", "intersection", "difference", "symmetric_difference", "copy"}
_DRAWS = {"uuid.uuid1", "uuid.uuid4", "os.urandom", "time.time", "time.time_ns", "time.perf_counter", "hash", "id"}
_DRAWS |= {"datetime.datetime.now", "datetime.datetime.utcnow", "datetime.now", "datetime.utcnow"}
_DRAWING_MODULES = ("random.", "numpy.random.", "secrets.")
_NO_DRAWS = {"seed", "getstate", "setstate", "get_state", "set_state"}
# With a seed they draw the same every time.
_SEEDED = {"Random", "RandomState", "default_rng", "Generator"}


@lru_cache(256)  # models share files, and both sides most of them
def chances(content: bytes) -> tuple[int, ...]:
    """The lines, in order, on which the order of a set or a draw decides; none for what is no Python."""
    if not _HINT.search(content):
        return ()
    tree = parsed(content)
    if tree is None:
        return ()
    names = _Names(tree)
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.expr | ast.stmt))
    return tuple(sorted({node.lineno for node in nodes if names.is_draw(node) or names.goes_through(node)}))


class _Names:
    """What the names of a file stand for: imported modules, and sets wherever they are assigned."""

    def __init__(self, tree: ast.AST) -> None:
        self.imported: dict[str, str] = {}
        self.sets: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.imported |= {each.asname or each.name: each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                self.imported |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and self.is_set(node.value):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self.sets |= {name for target in targets if (name := _dotted(target))}

    def is_set(self, node: ast.AST) -> bool:
        """Whether an expression is a set whose order is not known; that of whole numbers is."""
        if isinstance(node, ast.Set):
            return not all(isinstance(item, ast.Constant) and isinstance(item.value, int) for item in node.elts)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
            return self.is_set(node.left) or self.is_set(node.right)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in _SET_METHODS:
                return self.is_set(node.func.value)
            return self.name(node.func) in ("set", "frozenset")
        return isinstance(node, ast.SetComp) or _dotted(node) in self.sets

    def goes_through(self, node: ast.AST) -> bool:
        return any(self.is_set(each) for each in self._gone_through(node))

    def _gone_through(self, node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.For | ast.AsyncFor):
            yield node.iter
        elif isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp):
            yield from (part.iter for part in node.generators)
        elif isinstance(node, ast.Starred):
            yield node.value
        elif isinstance(node, ast.Call):
            method = node.func if isinstance(node.func, ast.Attribute) else None
            joins = method is not None and method.attr in ("join", "pop", "extend")
            if method is not None and joins and not node.args:
                yield method.value
            elif joins or self.name(node.func) in _IN_ORDER:
                yield from node.args

    def is_draw(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        name = self.name(node.func)
        last = name.rpartition(".")[2]
        if not name.startswith(_DRAWING_MODULES):
            return name in _DRAWS
        return last not in _NO_DRAWS and not (last in _SEEDED and node.args)

    def name(self, node: ast.AST) -> str:
        """The full name of what is called, aliases of imports undone."""
        dotted = _dotted(node) or ""
        first, dot, rest = dotted.partition(".")
        return f"{self.imported.get(first, first)}{dot}{rest}"


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (inner := _dotted(node.value)):
        return f"{inner}.{node.attr}"
    return None
