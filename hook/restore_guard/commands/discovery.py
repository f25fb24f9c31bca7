"""Models in source code, told from its syntax alone: what `init` proposes as builders. Imports nothing."""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

Read = Callable[[str], bytes | None]

KERAS = re.compile(r"^(tensorflow\.keras|tensorflow\.compat\.v[12]\.keras|tensorflow\.python\.keras|keras|tf_keras)\.")
MODELS = {"Model", "Sequential", "Functional", "models.Model", "models.Sequential", "models.Functional"}
MODULES = {"tensorflow.Module", "sonnet.Module"}
"""What a model is an instance of; layers, which are modules too, are parts of models."""

PLAIN_NAMES = re.compile(r"^(build|make|create|get|load|define|construct)?_?(the_|my_)?(model|network|net)?$")
"""A function of such a name is told apart from others by its module."""
VERB = re.compile(r"^(build|make|create|get|define|construct)_(?=.)")

WORK = {"fit", "fit_generator", "train_on_batch", "evaluate", "predict", "load_model", "load_weights", "restore"}
"""Calls of functions that do more than build: they train, or need a checkpoint."""

OUTSIDE = re.compile(
    r"(^|/)(tests?|docs?|\.[^/]+|build|dist|node_modules)/|(^|/)(test_[^/]*|[^/]*_test|conftest|setup)\.py$"
)
"""Files whose models are nobody's product."""


@dataclass(frozen=True)
class Candidate:
    """A function or class that gives a model.

    Attributes:
        name: what to call the model in the configuration.
        builder: `package.module:function`.
        root: the folder to import from, "" for the project.
        required: arguments without a default: it cannot be called without them.
    """

    name: str
    builder: str
    file: str
    line: int
    root: str = ""
    required: tuple[str, ...] = ()


@dataclass
class _Module:
    """One file: its dotted name, and what its global names stand for."""

    file: str
    root: str
    name: str
    names: dict[str, str] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)

    def resolve(self, node: ast.expr | None) -> str:
        """The full dotted name of an expression, "" where it is none."""
        match node:
            case ast.Name(id=name):
                return self.names.get(name, f"{self.name}.{name}")
            case ast.Attribute(value=value, attr=attribute):
                before = self.resolve(value)
                return f"{before}.{attribute}" if before else ""
            case ast.Constant(value=str(text)):  # an annotation in quotes
                try:
                    return self.resolve(ast.parse(text, mode="eval").body)
                except SyntaxError:
                    return ""
            case ast.BinOp(left=left, op=ast.BitOr()):
                return self.resolve(left)
            case ast.Subscript(value=value, slice=inner) if self.resolve(value).endswith("Optional"):
                return self.resolve(inner)
        return ""


def candidates(read: Read, files: Iterable[str]) -> list[Candidate]:
    """The models of a project, those that need no arguments first, in the order of their files.

    Args:
        read: gives the content of a file.
        files: all files of the project, relative to it.
    """
    present = frozenset(files)
    parsed = (_module(read, file, present) for file in sorted(present) if file.endswith(".py"))
    modules = [module for module in parsed if module is not None]
    kinds = _model_classes(modules)
    builders = _builders(modules, kinds)
    wanted = [module for module in modules if not OUTSIDE.search(module.file)]
    found = [
        _function(module, name)
        for module in wanted
        for name in module.functions
        if f"{module.name}.{name}" in builders and not name.startswith("_")
    ]
    made = _made(builders, (candidate for candidate in found if not candidate.required))
    covered = made | _parts(modules, kinds)
    found += [
        _class(module, name)
        for module in wanted
        for name in module.classes
        if f"{module.name}.{name}" in kinds and f"{module.name}.{name}" not in covered and not name.startswith("_")
    ]
    return _named(sorted(found, key=lambda candidate: (bool(candidate.required), candidate.file, candidate.line)))


def _module(read: Read, file: str, present: frozenset[str]) -> _Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(read(file) or b"")
    except (SyntaxError, ValueError, RecursionError):
        return None
    root = _root(file, tree, present)
    dotted = posixpath.relpath(file, root or ".").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if not all(part.isidentifier() for part in dotted.split(".")):
        return None  # a script that nothing can import
    module = _Module(file, root, dotted)
    package = dotted if file.endswith("/__init__.py") else dotted.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                module.names[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom):
            around = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join(filter(None, [*around, node.module or ""]))
            module.names.update({alias.asname or alias.name: f"{source}.{alias.name}" for alias in node.names})
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            module.classes[node.name] = node
        elif isinstance(node, ast.FunctionDef):
            module.functions[node.name] = node
    return module


def _root(file: str, tree: ast.Module, present: frozenset[str]) -> str:
    """The folder that a file is imported from: above its package, or its own where it imports its neighbours."""
    folder = posixpath.dirname(file)
    if f"{folder}/__init__.py" in present:
        while f"{folder}/__init__.py" in present:
            folder = posixpath.dirname(folder)
        return folder
    imported = {
        alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {
        (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level
    }
    beside = any({f"{folder}/{name}.py", f"{folder}/{name}/__init__.py"} & present for name in imported)
    return folder if beside or PurePosixPath(folder).name == "src" else ""


def _is_model(name: str) -> bool:
    return name in MODULES or KERAS.sub("", name) in MODELS and KERAS.match(name) is not None


def _model_classes(modules: Iterable[_Module]) -> frozenset[str]:
    """The classes of the project that are models, also through one another."""
    bases = {
        f"{module.name}.{name}": {module.resolve(base) for base in node.bases}
        for module in modules
        for name, node in module.classes.items()
    }
    found: set[str] = set()
    while more := {
        name for name, above in bases.items() if name not in found and any(_is_model(b) or b in found for b in above)
    }:
        found |= more
    return frozenset(found)


def _builders(modules: Iterable[_Module], kinds: frozenset[str]) -> dict[str, str]:
    """The functions that return a model, each with what it calls for it: the class, or another function."""
    returns = {
        f"{module.name}.{name}": _returned(module, node)
        for module in modules
        for name, node in module.functions.items()
    }
    found: dict[str, str] = {}
    while True:
        more = {}
        for name, calls in returns.items():
            if name in found:
                continue
            model = next((call for call in calls if call in kinds or call in found or _is_built(call)), None)
            if model is not None:
                more[name] = model
        if not more:
            break
        found |= more
    return found


def _made(builders: Mapping[str, str], callable_as_is: Iterable[Candidate]) -> set[str]:
    """What these functions return, also through one another: no need to name it beside them."""
    made = set()
    for candidate in callable_as_is:
        model = builders.get(candidate.builder.replace(":", "."))
        while model is not None and model not in made:
            made.add(model)
            model = builders.get(model)
    return made


def _is_built(name: str) -> bool:
    return _is_model(name) or KERAS.match(name) is not None and KERAS.sub("", name).startswith("applications.")


def _returned(module: _Module, function: ast.FunctionDef) -> list[str]:
    """What the function calls for the values that it returns, directly or through a variable."""
    assigned: dict[str, ast.expr] = {}
    returned = []
    for node in _own_nodes(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WORK:
            return []
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            assigned[node.targets[0].id] = node.value
        elif isinstance(node, ast.Return) and node.value is not None:
            returned.append(node.value)
    values = [assigned.get(value.id, value) if isinstance(value, ast.Name) else value for value in returned]
    calls = [module.resolve(value.func) for value in values if isinstance(value, ast.Call)]
    # What a function of another package returns, only the annotation tells.
    return [*calls, module.resolve(function.returns)] if returned else []


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function in the order of the source, without those of functions and classes in it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield child
            yield from _own_nodes(child)


def _parts(modules: Iterable[_Module], kinds: frozenset[str]) -> set[str]:
    """Model classes that another model class makes instances of, or inherits from."""
    parts = set()
    for module in modules:
        for name, node in module.classes.items():
            own = f"{module.name}.{name}"
            if own in kinds:
                called = {module.resolve(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
                parts |= ({module.resolve(base) for base in node.bases} | called) - {own}
    return parts


def _function(module: _Module, name: str) -> Candidate:
    node = module.functions[name]
    plain = PLAIN_NAMES.match(name) is not None
    return Candidate(
        _of_module(module) if plain else VERB.sub("", name).removesuffix("_model"),
        f"{module.name}:{name}",
        module.file,
        node.lineno,
        module.root,
        _required(node.args),
    )


def _class(module: _Module, name: str) -> Candidate:
    node = module.classes[name]
    made = next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)
    required = _required(made.args)[1:] if made is not None else ()
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return Candidate(
        snake.removesuffix("_model"), f"{module.name}:{name}", module.file, node.lineno, module.root, required
    )


def _required(arguments: ast.arguments) -> tuple[str, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = positional[: len(positional) - len(arguments.defaults)]
    named = [
        argument
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return tuple(argument.arg for argument in [*needed, *named])


def _of_module(module: _Module) -> str:
    """A module called model says nothing: its package does."""
    parts = [part for part in module.name.split(".") if part not in ("model", "models", "network", "net")]
    return parts[-1] if parts else module.name.split(".")[-1]


def _named(candidates: list[Candidate]) -> list[Candidate]:
    """Each with a name of its own."""
    counts = Counter(candidate.name for candidate in candidates)
    named, taken = [], set()
    for candidate in candidates:
        name = candidate.name
        if counts[name] > 1:
            module, _, own = candidate.builder.partition(":")
            name = f"{module.rpartition('.')[2]}-{own.strip('_').lower()}"
        while name in taken:
            name += "-2"
        taken.add(name)
        named.append(replace(candidate, name=name))
    return named
