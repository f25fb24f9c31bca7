"""What a program is started with: the defaults of argparse, absl flags and TF1 flags, and files of configuration."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from restore_guard.discovery.modules import Function, Module, Project, all_calls, own_nodes

_DEFINE = re.compile(r"(^|\.)DEFINE_(\w+)$")
_FLAGS = re.compile(r"(^|\.)flags\.FLAGS$")
_PARSE = ("parse_args", "parse_known_args")
_CONFIGURATION = re.compile(r"config|cfg|conf$|params|yaml|yml|json|gin", re.IGNORECASE)
_FILES = re.compile(r"\.(ya?ml|json|gin|toml)$")
_FOLDERS = re.compile(r"(^|/)(configs?|conf|cfgs?|params|experiments?|hparams|gin|settings)(/|$)", re.IGNORECASE)
_OTHERS = re.compile(r"(^|/)(\.[^/]+/|package(-lock)?\.json|tsconfig|docker-compose|environment\.ya?ml|mkdocs)")


class Option(NamedTuple):
    """One option; `default` is None where it has none, and `text` says which one it is and where it stands."""

    name: str
    default: ast.expr | None
    module: Module
    text: str


class Options(ast.expr):
    """Stands for the object that holds all options of a module: what `parse_args()` returns, or FLAGS."""

    _fields = ()

    def __init__(self, found: dict[str, Option]) -> None:
        super().__init__()
        self.found = found


def is_flags(name: str) -> bool:
    """Whether a full name is that of absl's or TF1's flags."""
    return _FLAGS.search(name) is not None


def is_parsing(call: ast.Call) -> bool:
    """Whether a call parses the command line by argparse."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in _PARSE


def parsed(project: Project, module: Module, call: ast.Call) -> ast.expr:
    """What a call that parses the command line gives: all options, with what is left over where it gives that too."""
    assert isinstance(call.func, ast.Attribute)
    found = of_parser(module)
    if not found and isinstance(call.func.value, ast.Name):  # a parser of another module
        found = next((known for each in project.modules if not each.rank and (known := of_parser(each))), {})
    whole = Options(found)
    is_both = call.func.attr == "parse_known_args"
    return ast.Tuple([whole, ast.List([], ast.Load())], ast.Load()) if is_both else whole


def parses(function: Function) -> bool:
    """Whether a function returns what it parses of the command line, directly or after a check."""
    returns = any(isinstance(node, ast.Return) and node.value is not None for node in own_nodes(function))
    return returns and any(map(is_parsing, all_calls(function)))


def of_flags(project: Project, near: Module) -> dict[str, Option]:
    """All flags of a project; of those defined twice, that of a module."""
    found: dict[str, Option] = {}
    for module in sorted(project.modules, key=lambda module: (module is not near, module.rank)):
        for call in all_calls(module.tree):
            name = ast.unparse(call.func)
            if not (kind := _DEFINE.search(name)) or not call.args or not isinstance(call.args[0], ast.Constant):
                continue
            flag = str(call.args[0].value)
            default = call.args[1] if len(call.args) > 1 else _keyword(call, "default")
            if kind[2] in ("list", "multi_string", "multi_integer") and isinstance(default, ast.Constant):
                default = _listed(default)
            text = f"--{flag}, {module.file}:{call.lineno}"
            found.setdefault(flag, Option(flag, default, module, text))
    return found


def of_parser(module: Module) -> dict[str, Option]:
    """The options of the argparse parsers of a module."""
    return {option.name: option for option in _arguments(module)}


def _arguments(module: Module) -> Iterator[Option]:
    for call in all_calls(module.tree):
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "add_argument":
            continue
        words = [str(item.value) for item in call.args if isinstance(item, ast.Constant)]
        if not words:
            continue
        long = next((word for word in words if word.startswith("--")), words[-1])
        named = _keyword(call, "dest")
        name = str(named.value) if isinstance(named, ast.Constant) else long.lstrip("-").replace("-", "_")
        action = _keyword(call, "action")
        kind = action.value if isinstance(action, ast.Constant) else None
        default = _keyword(call, "default")
        if default is None and kind in ("store_true", "store_false"):
            default = ast.Constant(kind == "store_false")
        elif default is None and long.startswith("-"):
            needed = _keyword(call, "required")
            default = None if isinstance(needed, ast.Constant) and needed.value else ast.Constant(None)
        yield Option(name, default, module, f"{long}, {module.file}:{call.lineno}")


def names_configuration(name: str) -> bool:
    """Whether an option of this name takes a file of configuration."""
    return _CONFIGURATION.search(name) is not None


def configurations(project: Project) -> list[str]:
    """The files of a project that hold configuration, those in folders for it first, by their names."""
    found = [file for file in project.files if _FILES.search(file) and not _OTHERS.search(file)]
    telling = [file for file in found if _FOLDERS.search(file) or names_configuration(posixpath.basename(file))]
    return sorted(telling, key=lambda file: (not re.search(r"base|default|config\.", file), file))


def names_one_of(text: str, files: list[str]) -> bool:
    """Whether a text is the name of one of these files, whatever folder it says."""
    return any(posixpath.basename(file) == posixpath.basename(text) for file in files)


def _listed(default: ast.Constant) -> ast.expr:
    if default.value is None:
        return default
    items = str(default.value).split(",") if isinstance(default.value, str) else [default.value]
    return ast.List([ast.Constant(item) for item in items], ast.Load())


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((item.value for item in call.keywords if item.arg == name), None)
