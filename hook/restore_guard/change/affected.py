"""Which models a change touches: judged from text alone, so that most commits end here."""

import ast
import dataclasses
import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from restore_guard.change import environment_files, traced
from restore_guard.change.traced import normal, with_parents
from restore_guard.config import Config
from restore_guard.python_text import parsed
from restore_guard.signature import Reads

if TYPE_CHECKING:  # importing git takes 0.2 s
    from restore_guard.change.states import Change

Read = Callable[[str], bytes | None]

BUILD_SETTINGS = ("python", "environment", "pythonpath", "carry", "manifests")
"""The settings of the whole project that decide what a build gives."""

DONE = {"A": "added", "M": "changed", "D": "deleted", "R": "renamed", "T": "changed"}


class Closure(NamedTuple):
    """The files that an import reaches, and the paths that it would reach too if they existed."""

    files: frozenset[str]
    candidates: frozenset[str]

    @property
    def paths(self) -> frozenset[str]:
        """All paths of which a change is noticed by the imports alone."""
        return self.files | self.candidates


class View(msgspec.Struct, frozen=True):
    """What one side shows of the project; all paths are relative to it.

    `traces` holds what the manifests recorded: what each model's build depends on.
    """

    config: Config | None
    read: Read
    traces: Mapping[str, Reads] = msgspec.field(default_factory=dict)


def affected(changes: Sequence["Change"], base: View | None, head: View) -> dict[str, str]:
    """The models of head's configuration that a change may touch, each with the reason in one line.

    In: changes with paths relative to the project (see `relative_to`); base None: nothing to compare with.
    """
    if head.config is None:
        return {}
    models = head.config.models
    if base is None:
        return dict.fromkeys(models, "there is no commit yet to compare with")
    if base.config is None:
        return dict.fromkeys(models, "the configuration is new")
    configs = (base.config, head.config)
    if for_all := _changed_setting(*configs) or _changed_environment(changes, base, head):
        return dict.fromkeys(models, for_all)

    paths = {path: DONE[change.status] for change in changes for path in (change.old_path, change.path) if path}
    reasons = (
        {name: _stated_reason(name, paths, *configs, _traces(name, base, head)) for name in models} if paths else {}
    )
    undecided = [name for name, reason in reasons.items() if reason is None]
    # Nothing tells what is below a link or a submodule, but that it changed.
    leading = {path for change in changes if change.leads for path in (change.old_path, change.path) if path}
    modules = {source: path for path in paths if (source := path if path in leading else _as_source(path))}
    if undecided and modules:
        roots = head.config.roots
        builders = {name: models[name].builder.partition(":")[0] for name in undecided}
        for view in (base, head):
            reached = ImportGraph(view.read, roots).reached(builders.values(), modules)
            for name, builder in builders.items():
                if path := reached.get(builder):
                    reasons[name] = f"{modules[path]} {paths[modules[path]]}"
    return {name: reason for name, reason in reasons.items() if reason}


def loading(reasons: Mapping[str, str], config: Config) -> dict[str, str]:
    """The reasons, and those of models whose checkpoints are restored into an affected one."""
    return dict(reasons) | {
        name: f"its checkpoints are restored into {other}: {reasons[other]}"
        for name, model in config.models.items()
        if name not in reasons
        for other in model.loads
        if other in reasons
    }


def relative_to(changes: Sequence["Change"], project: str, before: str | None = None) -> tuple["Change", ...]:
    """Changes with paths relative to the project's folder instead of the git root; `../` leads out of it.

    Args:
        before: the project's folder at the base, where it was another.
    """

    def relative(change: "Change") -> "Change":
        old = change.old_path
        if before is not None and change.status != "A":
            old = old or change.path
        old = old and posixpath.relpath(old, (project if before is None else before) or ".")
        return dataclasses.replace(change, path=posixpath.relpath(change.path, project or "."), old_path=old)

    return tuple(map(relative, changes))


def closure(read: Read, module: str, roots: Sequence[str]) -> Closure:
    """What importing a dotted module reaches inside the project, told from the source alone.

    In: `read`, a file's content or None; `roots`, the folders on sys.path relative to the project ("" is it).
    """
    return ImportGraph(read, roots).closure(module)


class Import(NamedTuple):
    """One import: `level` dots, a dotted module ("" for `from . import x`), and names that may be modules."""

    level: int
    module: str
    names: tuple[str, ...]


class ImportGraph:
    """The imports of one side, each file read and parsed once however many models share it."""

    def __init__(self, read: Read, roots: Sequence[str]):
        self._roots = [normal(root) for root in roots]
        self._read = cache(read)
        self._edges = cache(self._imported_by)
        self._locate = cache(self._find)

    def closure(self, module: str) -> Closure:
        start = self._locate(tuple(self._roots), module)
        files, candidates, waiting = set(), set(start.candidates), list(start.files)
        while waiting:
            file = waiting.pop()
            if file not in files:
                files.add(file)
                edges = self._edges(file)
                candidates |= edges.candidates
                waiting.extend(edges.files)
        return Closure(frozenset(files), frozenset(candidates))

    def reached(self, modules: Iterable[str], paths: Iterable[str]) -> dict[str, str]:
        """Module -> the first of `paths` in its closure, for the modules that reach one.

        The graph is walked once forwards for all modules and once backwards from the paths: hundreds of
        closures that share most of their files would take as long as the whole graph each.
        """
        starts = {module: set().union(*self._locate(tuple(self._roots), module)) for module in modules}
        importers = defaultdict(set)
        seen = set().union(*starts.values())
        waiting = list(seen)
        while waiting:
            file = waiting.pop()
            for path in set().union(*self._edges(file)):
                importers[path].add(file)
                if path not in seen:
                    seen.add(path)
                    waiting.append(path)
        order = {path: number for number, path in enumerate(paths)}
        inside = defaultdict(list)
        for path in seen:
            for folder in with_parents(posixpath.dirname(path)):
                if folder in order:
                    inside[folder].append(path)
        first: dict[str, str] = {}
        for changed in order:
            waiting = [changed, *sorted(inside[changed])]
            while waiting:
                path = waiting.pop()
                if path not in first:
                    first[path] = changed
                    waiting.extend(importers[path])
        hits = {module: [first[path] for path in start if path in first] for module, start in starts.items()}
        return {module: min(paths, key=order.__getitem__) for module, paths in hits.items() if paths}

    def _imported_by(self, file: str) -> Closure:
        files: set[str] = set()
        candidates: set[str] = set()
        for imported in imports(self._read(file)):
            places = [tuple(self._roots)]
            if imported.level:  # none where the dots lead out of the project
                around = with_parents(posixpath.dirname(file))
                places = []
                for folder in around[imported.level - 1 : imported.level]:
                    package = posixpath.join(folder, "__init__.py")
                    if self._read(package) is not None:
                        places.append((folder,))
                    else:
                        candidates.add(package)
                        places += [(portion,) for portion in self._portions(folder)]
            submodules = (f"{imported.module}.{name}" for name in imported.names if name != "*")
            for module, place in product([imported.module, *submodules], places):
                found = self._locate(place, module.strip("."))
                files |= found.files
                candidates |= found.candidates
        return Closure(frozenset(files), frozenset(candidates))

    def _portions(self, folder: str) -> list[str]:
        """The folders of a package without `__init__.py`: it may have a portion below each root."""
        inside = [folder.removeprefix(f"{root}/" if root else "") for root in self._roots]
        return list(dict.fromkeys([folder, *(posixpath.join(root, name) for name in inside for root in self._roots)]))

    def _find(self, folders: tuple[str, ...], module: str) -> Closure:
        """The files that importing a module from these folders runs, parents first, as Python searches."""
        files: set[str] = set()
        candidates: set[str] = set()
        for part in filter(None, module.split(".")):
            for folder in folders:
                inner = posixpath.join(folder, part)
                package, plain = f"{inner}/__init__.py", f"{inner}.py"
                if self._read(package) is not None:
                    files.add(package)
                    folders = (inner,)
                    break
                candidates.add(package)
                if self._read(plain) is not None:
                    files.add(plain)
                    folders = ()  # a module has no submodules
                    break
                candidates.add(plain)
            else:  # a namespace package, or none of this project
                folders = tuple(posixpath.join(folder, part) for folder in folders)
        return Closure(frozenset(files), frozenset(candidates))


@cache  # both sides hold mostly the same files
def imports(source: bytes | None) -> list[Import]:
    """All imports of a source file, wherever they are in it; none if it does not parse."""
    tree = parsed(source or b"")
    found: list[Import] = []
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Import(names=names):
                found.extend(Import(0, alias.name, ()) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                found.append(Import(level, module or "", tuple(alias.name for alias in names)))
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                module = name.lstrip(".")
                found.append(Import(len(name) - len(module), module, ()))
    return found


def _changed_setting(before: Config, now: Config) -> str | None:
    """Why every model is affected: a setting of the whole project differs."""
    for setting in BUILD_SETTINGS:
        if getattr(before, setting) != getattr(now, setting):
            return f"{setting} changed in the configuration"
    return None


def _changed_environment(changes: Sequence["Change"], base: View, head: View) -> str | None:
    """Why every model is affected: a file differs that decides what is installed."""
    for change in changes:
        if environment_files.differs(change, base.read, head.read):
            paths = (path for path in (change.old_path, change.path) if path)
            path = next(filter(environment_files.is_environment_file, paths), change.path)
            return f"{path} {DONE[change.status]} (environment)"
    return None


def _traces(name: str, base: View, head: View) -> list[Reads]:
    """What the manifests of both sides say that a model's build depends on."""
    return [view.traces.get(name, Reads()) for view in (base, head)]


def _stated_reason(
    name: str, paths: Mapping[str, str], base: Config, head: Config, traces: Sequence[Reads]
) -> str | None:
    """Why a model is affected, as its configuration or its manifests state it, without looking at imports."""
    before, now = base.models.get(name), head.models[name]
    if before != now:
        return "its configuration changed" if before else "new in the configuration"
    # The migrations say what becomes of old checkpoints as much as the manifest does.
    for file in (f"{name}.json", f"{name}.migrations.toml"):
        promise = normal(posixpath.join(head.manifests, file))
        if promise in paths:
            return f"{promise} {paths[promise]}"
    return traced.touched(paths, traces, now.paths)


def _as_source(path: str) -> str | None:
    """The Python source that a file of code is, or stands for as bytecode and compiled modules do; None for others."""
    if not path.endswith((".py", ".pyc", ".so", ".pyd")) or "__pycache__" in path:
        return None
    folder, name = posixpath.split(path)
    return posixpath.join(folder, name.partition(".")[0] + ".py")
