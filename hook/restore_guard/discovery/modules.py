"""The Python files and notebooks of a project, parsed, and what the names in them stand for."""

from __future__ import annotations

import ast
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath

import msgspec

from restore_guard.python_text import parsed

Read = Callable[[str], bytes | None]
Function = ast.FunctionDef | ast.AsyncFunctionDef

_TESTS = r"(^|/)(tests?|testing|test_utils)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$"
_BESIDE = r"(^|/)(docs?|examples?|demos?|samples?|tutorials?|benchmarks?|third_party|vendor|notebooks?)/|\.ipynb$"
_TOOLS = r"(^|/)(\.[^/]+|build|dist|node_modules|site-packages)/|(^|/)setup\.py$"
TESTS, BESIDE, TOOLS = re.compile(_TESTS), re.compile(_BESIDE), re.compile(_TOOLS)
OUTSIDE = re.compile(f"{_TESTS}|{_BESIDE}|{_TOOLS}")
"""Files that are no part of what a project is for."""
# Of what a star import may bring, these are in keras.models, whichever module else is imported so.
_OF_MODELS = ("Model", "Sequential", "Functional")


class Module(msgspec.Struct, eq=False, dict=True):
    """One file.

    Attributes:
        root: the folder that it is imported from, "" for the project.
        name: its dotted name.
        importable: whether anything can import it by this name.
        names: {global name: what it stands for}; stars: modules of which it takes all names.
    """

    file: str
    root: str
    name: str
    tree: ast.Module
    importable: bool = True
    names: dict[str, str] = msgspec.field(default_factory=dict)
    stars: list[str] = msgspec.field(default_factory=list)
    classes: dict[str, ast.ClassDef] = msgspec.field(default_factory=dict)
    functions: dict[str, Function] = msgspec.field(default_factory=dict)

    @property
    def rank(self) -> int:
        """How much what it does counts: the project's own code before examples, these before tests."""
        return 2 if TESTS.search(self.file) else 1 if BESIDE.search(self.file) else 0

    @property
    def is_product(self) -> bool:
        """Whether its models may be somebody's product."""
        return self.importable and not self.rank and not TOOLS.search(self.file)

    @cached_property
    def is_script(self) -> bool:
        """Whether it is run rather than imported: its imports and options are no part of a model."""
        return not self.importable or self.rank > 0 or any(map(is_main_guard, self.tree.body))

    @cached_property
    def starred(self) -> set[str]:
        """The names that it defines at its top level."""
        assigned = {
            target.id
            for node in self.tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        return {*self.classes, *self.functions, *assigned}


class Project:
    """All modules, and what dotted names mean across them."""

    def __init__(self, modules: Iterable[Module], files: Iterable[str]) -> None:
        self.modules, self.files = list(modules), frozenset(files)
        self._by_name: dict[str, list[Module]] = {}
        for module in self.modules:
            self._by_name.setdefault(module.name, []).append(module)

    def module(self, name: str, near: Module | None = None) -> Module | None:
        """The module of a dotted name; of several, the one in the same root as another module."""
        found = self._by_name.get(name, [])
        beside = next((module for module in found if near is not None and module.root == near.root), None)
        return beside or (found[0] if found else None)

    def path_in(self, text: str, module: Module) -> str:
        """A text; where it is a file that a module names from its own folder, that from the folder of the project."""
        if not re.fullmatch(r"[\w./-]+\.\w+", text) or text in self.files:
            return text
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(module.file), text))
        return beside if beside in self.files else text

    def resolve(self, module: Module, node: ast.expr | None) -> str:
        """The full dotted name of an expression in a module, "" where it is none."""
        match node:
            case ast.Name(id=name):
                return self.canonical(self._global(module, name), module)
            case ast.Attribute(value=value, attr=attribute):
                before = self.resolve(module, value)
                return self.canonical(f"{before}.{attribute}", module) if before else ""
            case ast.Constant(value=str(text)):  # an annotation in quotes
                match parsed(text):
                    case ast.Module(body=[ast.Expr(value=inner)]):
                        return self.resolve(module, inner)
                return ""
            case ast.BinOp(left=left, op=ast.BitOr()):
                return self.resolve(module, left)
            case ast.Subscript(value=value, slice=inner) if self.resolve(module, value).endswith("Optional"):
                return self.resolve(module, inner)
        return ""

    def _global(self, module: Module, name: str) -> str:
        if name in module.names:
            return module.names[name]
        if name not in module.starred:
            for star in module.stars:
                known = self.module(star, module)
                if known is not None and (name in known.starred or name in known.names):
                    return f"{star}.{name}"
                if known is None and "keras" in star and name[:1].isupper():
                    return f"{star.rpartition('.')[0]}.models.{name}" if name in _OF_MODELS else f"{star}.{name}"
        return f"{module.name}.{name}"

    def canonical(self, name: str, near: Module | None = None, depth: int = 8) -> str:
        """Where a name is defined, of what packages hand on from their modules."""
        before, _, last = name.rpartition(".")
        module = self.module(before, near) if before else None
        if module is None or depth == 0 or last in module.starred:
            return name
        handed = self._global(module, last)
        return self.canonical(handed, module, depth - 1) if handed != name else name

    def definition(self, name: str, near: Module | None = None) -> tuple[Module, ast.ClassDef | Function] | None:
        """The function, class or method that a full name stands for."""
        before, _, last = name.rpartition(".")
        module = self.module(before, near)
        if module is not None:
            # Another root may have a module of the same name, such as `run.py` beside `tf2/run.py`.
            for each in (module, *self._by_name[before]):
                node: ast.ClassDef | Function | None = each.classes.get(last) or each.functions.get(last)
                if node is not None:
                    return each, node
            return None
        owner = self.definition(before, near) if "." in before else None
        if owner is None or not isinstance(owner[1], ast.ClassDef):
            return None
        method = methods(owner[1]).get(last)
        return (owner[0], method) if method is not None else None


def project(read: Read, files: Iterable[str]) -> Project:
    """Parses all Python files and notebooks; what cannot be parsed is left out.

    Args:
        read: gives the content of a file.
        files: all files of the project, relative to it.
    """
    present = frozenset(files)
    wanted = [file for file in sorted(present) if file.endswith((".py", ".ipynb")) and not TOOLS.search(file)]
    trees = {file: tree for file in wanted if (tree := _parsed(file, read(file) or b"")) is not None}
    roots = {file: _root(file, tree, present) for file, tree in trees.items()}
    # What one file of a folder imports from there, all of it are imported from.
    own = {folder for file, root in roots.items() if root and root == (folder := posixpath.dirname(file))}
    roots |= {file: folder for file in roots if (folder := posixpath.dirname(file)) in own}
    roots |= {file: root for file, root in _as_imported(trees, present).items() if file in roots and not roots[file]}
    return Project([_module(file, trees[file], roots[file]) for file in trees], present)


def _parsed(file: str, content: bytes) -> ast.Module | None:
    return parsed(_cells(content) if file.endswith(".ipynb") else content)


def _module(file: str, tree: ast.Module, root: str) -> Module:
    path = PurePosixPath(posixpath.relpath(file, root or ".")).with_suffix("")
    dotted = ".".join(path.parts).removesuffix(".__init__")
    importable = file.endswith(".py") and all(part.isidentifier() for part in dotted.split("."))
    module = Module(file, root, dotted, tree, importable)
    package = dotted if file.endswith("/__init__.py") else dotted.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                module.names[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom):
            around = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join(filter(None, [*around, node.module or ""]))
            module.stars += [source] * any(alias.name == "*" for alias in node.names)
            module.names.update({alias.asname or alias.name: f"{source}.{alias.name}" for alias in node.names})
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=short)], value=ast.Attribute() as value):
                # A short name of something imported: `layers = tf.keras.layers`.
                before, dot, rest = ast.unparse(value).partition(".")
                if before in module.names and short not in module.names:
                    module.names[short] = f"{module.names[before]}{dot}{rest}"
        if isinstance(node, ast.ClassDef):
            module.classes[node.name] = node
        elif isinstance(node, Function):
            module.functions[node.name] = node
    return module


def _cells(content: bytes) -> str:
    """The code of a notebook, without what is IPython's own."""
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    cells = notebook.get("cells") if isinstance(notebook, Mapping) else None
    lines = []
    for cell in cells if isinstance(cells, list) else ():
        if isinstance(cell, Mapping) and cell.get("cell_type") == "code":
            code = cell.get("source")
            parts = code if isinstance(code, list) else [code]
            lines += "".join(part for part in parts if isinstance(part, str)).splitlines()
    return "\n".join("pass" if line.startswith(("%", "!", "?")) else line for line in lines)


def _root(file: str, tree: ast.Module, present: frozenset[str]) -> str:
    """The folder that a file is imported from: above its package, or its own where it imports its neighbours."""
    folder = posixpath.dirname(file)
    if f"{folder}/__init__.py" in present:
        while f"{folder}/__init__.py" in present:
            folder = posixpath.dirname(folder)
        return folder
    for place in _above(file):
        if any(_at(place, parts, present) for parts in _imported(tree)):
            return place
    return folder if PurePosixPath(folder).name == "src" else ""


def _as_imported(trees: Mapping[str, ast.Module], present: frozenset[str]) -> dict[str, str]:
    """{file: the folder from which other files import it}, also where a program adds that to the path by itself."""
    found = {}
    ends: dict[str, list[str]] = {}
    for file in trees:
        ends.setdefault("/".join(PurePosixPath(file).with_suffix("").parts[-2:]), []).append(file)
    for file, tree in trees.items():
        for parts in _imported(tree):
            beside = next((place for place in _above(file) if _at(place, parts, present)), None)
            if beside is not None:
                found[_at(beside, parts, present)] = beside
                continue
            path = "/".join(parts)
            known = [other for other in ends.get("/".join(parts[-2:]), ()) if other.endswith(f"/{path}.py")]
            if len(known) == 1 and len(parts) > 1:
                found[known[0]] = known[0].removesuffix(f"/{path}.py")
    return found


def _above(file: str) -> list[str]:
    """The folder of a file and those that it is in; "" for the project."""
    return ["" if str(folder) == "." else str(folder) for folder in PurePosixPath(file).parents]


def _imported(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """The parts of the dotted names of modules that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield tuple(node.module.split("."))


def _at(folder: str, parts: tuple[str, ...], present: frozenset[str]) -> str:
    """The file of the module of this name below a folder, "" where there is none."""
    path = posixpath.join(folder, *parts)
    return next((file for file in (f"{path}.py", f"{path}/__init__.py") if file in present), "")


def is_main_guard(node: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__":`."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and "__name__" in {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
    )


def methods(node: ast.ClassDef) -> dict[str, Function]:
    return {item.name: item for item in node.body if isinstance(item, Function)}


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function in the order of the source, without those of functions and classes in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield child
            yield from own_nodes(child)


def all_calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls anywhere in it."""
    return (item for item in ast.walk(node) if isinstance(item, ast.Call))


def calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in a function's own code."""
    return (item for item in own_nodes(node) if isinstance(item, ast.Call))
