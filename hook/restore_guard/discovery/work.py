"""Modules that do more than define when they are imported: they train, download, read data, or end the process."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from restore_guard.discovery.modules import Module, Project, is_main_guard, methods

_WORK = re.compile(
    r"^(fit|fit_generator|train|train_on_batch|train_step|evaluate|predict|main|run|run_training|load_data|get_file|"
    r"urlretrieve|urlopen|download\w*|read_\w+|load_weights|load_model|restore|save|save_weights|parse_args|"
    r"parse_known_args|make|system|popen|savefig|imread|makedirs|mkdir|rmtree|copytree|copyfile|unlink|"
    r"remove|input|exit|listen|serve|connect|VideoCapture|from_pretrained|load_dataset|loadtxt|genfromtxt|imshow|show|"
    r"sleep|write_text|write_bytes|touch|\w+_download|GradientTape|minimize|apply_gradients|SummaryWriter|FileWriter|"
    r"create_file_writer)$"
)
"""Names of functions that, called while a module is imported, do what nobody wants of a set-up."""

_DEEPEST = 6
_WORKING_MODULES = re.compile(r"^(subprocess|requests|urllib|wandb|mlflow|gym|gymnasium|tensorflow_datasets)\.")
_RUN_WHEN_MADE = ("__new__", "__init__", "__post_init__")


class Work(msgspec.Struct, frozen=True):
    """Where a module does something while it is imported, and what."""

    file: str
    line: int
    call: str


def at_import(project: Project, module: Module) -> Work | None:
    """The first work that importing a module does, by itself or in modules of the project that it imports."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        current = waiting.pop(0)
        if current.file in seen:
            continue
        seen.add(current.file)
        found = _own(project, current)
        if found is not None:
            return found
        waiting += imported(project, current)
    return None


def imported(project: Project, module: Module) -> Iterator[Module]:
    """The modules of the project that one imports at its top level."""
    names = set(module.stars)
    for node in module.tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            bound = [module.names.get(alias.asname or alias.name, "") for alias in node.names]
            names |= {*bound, *(name.rpartition(".")[0] for name in bound)}
    for name in sorted(names):
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            known = project.module(".".join(parts[:count]), module)
            if known is not None:
                yield known


def closure(project: Project, module: Module) -> list[Module]:
    """A module and all of the project that it imports."""
    found = [module]
    for each in found:
        found += [other for other in imported(project, each) if other not in found]
    return found


def _own(project: Project, module: Module) -> Work | None:
    top = [statement for statement in module.tree.body if not is_main_guard(statement)]
    raised = next((statement for statement in top if isinstance(statement, ast.Raise)), None)
    if raised is not None:
        top = top[: top.index(raised)]
    for call in _calls(top):
        if _does_work(project, module, call) or any(
            _leads_to_work(project, name, set()) for name in _called(project, module, call, top, "")
        ):
            return Work(module.file, call.lineno, ast.unparse(call.func))
    return Work(module.file, raised.lineno, "raise") if raised is not None else None


def _calls(nodes: Iterable[ast.AST | None]) -> Iterator[ast.Call]:
    """The calls that run with them: of what a function or class defines, its defaults and the body of the class."""
    for node in nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _calls([*node.args.defaults, *node.args.kw_defaults])
            case ast.ClassDef():
                yield from _calls(node.body)
            case ast.AST():
                if isinstance(node, ast.Call):
                    yield node
                yield from _calls(ast.iter_child_nodes(node))


def _called(project: Project, module: Module, call: ast.Call, body: Sequence[ast.stmt], owner: str) -> Iterator[str]:
    """Full names that a call may stand for in a body: a function, a class, a method of an instance that is made there.

    Args:
        owner: the class that `self` is of, "" outside of one.
    """
    yield project.resolve(module, call.func)
    match call.func:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=method) if owner:
            yield f"{owner}.{method}"
        case ast.Attribute(value=ast.Call(func=made), attr=method):
            yield f"{project.resolve(module, made)}.{method}"
        case ast.Attribute(value=ast.Name(id=name), attr=method):
            for statement in body:
                match statement:
                    case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Call(func=made)) if bound == name:
                        yield f"{project.resolve(module, made)}.{method}"


def _leads_to_work(project: Project, name: str, seen: set[str]) -> bool:
    """Whether calling what has this full name runs work, by itself or in what it calls of the project."""
    known = project.definition(name) if name and name not in seen else None
    seen.add(name)
    if known is None:
        return False
    module, node = known
    if isinstance(node, ast.ClassDef):
        own = [f"{name}.{method}" for method in _RUN_WHEN_MADE if method in methods(node)]
        inner = [*own, *(project.resolve(module, base) for base in node.bases)]
        return any(_leads_to_work(project, each, seen) for each in inner)
    before = name.rpartition(".")[0]
    owner = before if before != module.name else ""
    for call in _calls(node.body):
        names = list(_called(project, module, call, node.body, owner))
        if any(_leads_to_work(project, each, seen) for each in names):
            return True
        own_code = any(project.definition(each) for each in names if each)
        if not own_code and _does_work(project, module, call) and not ast.unparse(call.func).endswith("exit"):
            return True
    return False


def works(name: str) -> bool:
    """Whether a function of this full name, which is none of the project's, does more than make something."""
    return _WORK.match(name.rpartition(".")[2]) is not None or _WORKING_MODULES.match(name) is not None


def reads(full: str, node: ast.Call) -> bool:
    """Whether a call only reads a text, as configurations are."""
    if full.rpartition(".")[2] in ("safe_load", "load", "loads", "read_text"):
        return True
    return ast.unparse(node.func) == "open" and not any(
        isinstance(item, ast.Constant) and str(item.value)[:1] in ("w", "a", "x") for item in node.args[1:2]
    )


def when_called(project: Project, name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a function or class of the project trains, downloads or reads data when it is called."""
    known = project.definition(name)
    if known is None or name in seen or len(seen) > _DEEPEST:
        return False
    module, node = known
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    called = {project.resolve(module, each) for each in bases}
    for item in ast.walk(node):
        if isinstance(item, ast.Call):
            full = project.resolve(module, item.func)
            if project.definition(full) is not None:
                called.add(full)
            elif _does_work(project, module, item) and not ast.unparse(item.func).endswith("exit"):
                return True
    return any(when_called(project, each, seen | {name}) for each in called)


def _does_work(project: Project, module: Module, call: ast.Call) -> bool:
    name = project.resolve(module, call.func)
    last = name.rpartition(".")[2] if name else call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if last == "open" and name.rpartition(".")[0] in (module.name, "io", "builtins"):
        return any(isinstance(item, ast.Constant) and str(item.value)[:1] in ("w", "a", "x") for item in call.args[1:2])
    if name.startswith(("os.path.", "os.environ", "logging.", "argparse.")) and last != "parse_args":
        return False
    return works(name or last)
