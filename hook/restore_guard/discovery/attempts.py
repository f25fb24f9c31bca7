"""How a candidate could be built, in the order of trying: as it is, with arguments, by a function around it."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from restore_guard.discovery import inputs, options, tokens, values
from restore_guard.discovery.arguments import Arguments, option
from restore_guard.discovery.bindings import default_of, given_to
from restore_guard.discovery.calling import first_call
from restore_guard.discovery.candidate import Candidate, initialiser, required
from restore_guard.discovery.graphs import is_model_fn
from restore_guard.discovery.inlining import Inliner, Scope, Unknown
from restore_guard.discovery.inputs import Tensors
from restore_guard.discovery.modules import Function, Module, Project, own_nodes
from restore_guard.discovery.roles import is_only_module
from restore_guard.discovery.sites import Site, Sites
from restore_guard.discovery.work import closure

_MOST_SITES = 4
_MOST = 8
_PRETRAINED = ("weights", "pretrained", "pretrained_weights", "pretrain", "imagenet", "include_pretrained")


class Attempt(msgspec.Struct, frozen=True):
    """One way to build a candidate.

    Attributes:
        kwargs: what the builder is called with.
        imports: {name: what it stands for} of a function around it; body: its lines; notes: where values come from.
        place: where the source itself builds it so; "" where nothing but defaults is used.
        inputs: what the model can be called with, the surest first.
        calls: whether it calls the model itself, with what no `inputs` could say.
    """

    kwargs: Mapping[str, Any] = msgspec.field(default_factory=dict)
    imports: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    place: str = ""
    inputs: tuple[Tensors, ...] = ()
    calls: bool = False


class Attempts:
    """Finds them for the candidates of one project."""

    def __init__(self, project: Project) -> None:
        self.project, self.sites = project, Sites(project)

    def of(self, candidate: Candidate) -> list[Attempt]:
        """The attempts for a candidate, the likeliest first; none where nothing can call it."""
        if candidate.kind == "global":
            name = candidate.called.rpartition(".")[2]
            return [Attempt(imports={name: candidate.called}, body=(f"return {name}",))]
        home = next((module for module in self.project.modules if module.file == candidate.file), None)
        known = self.project.definition(candidate.called, home)
        if known is None or candidate.kind == "enclosed":
            return []
        module, node = known
        shown = [each.tensors for each in inputs.of_sites(self.project, self.sites, candidate.called)]
        if not shown and isinstance(node, ast.ClassDef):
            shown = [found for found in [tokens.of_class(self.project, module, node)] if found is not None]
        found: list[Attempt] = []
        ways = list(self._all(candidate, module, node))
        if isinstance(node, ast.ClassDef) and is_only_module(self.project, module, node):
            # It does not say whether some of its variables come with the first call.
            ways.sort(key=lambda attempt: not attempt.calls)
        for attempt in ways:
            attempt = replace(attempt, inputs=() if attempt.calls else tuple(shown))
            if all((attempt.kwargs, attempt.body) != (other.kwargs, other.body) for other in found):
                found.append(attempt)
        return found[:_MOST]

    def _all(self, candidate: Candidate, module: Module, node: ast.ClassDef | Function) -> Iterator[Attempt]:
        if is_model_fn(node):
            yield from self._of_estimator(candidate, module, node)
            return
        function = self._function(module, node)

        def told(**how: bool) -> list[Attempt]:
            arguments = Arguments(self.project, **how)
            calls = self.sites.of(candidate.called)
            made = [each for site in calls for each in self._of_site(candidate, site, function, arguments)]
            return made[: 2 * _MOST_SITES]

        found = told() or told(leave_out=True)
        yield from found
        if not candidate.required:
            yield from self._plain(candidate, function)
        elif not found:
            guessed = list(self._guessed(candidate, module, function))
            # Of what holds a model much is no part of it: its data, its folders, what it reports to.
            yield from guessed or told(placeholder=candidate.kind == "part" and isinstance(node, ast.ClassDef))

    def _function(self, module: Module, node: ast.ClassDef | Function) -> Function | None:
        if isinstance(node, Function):
            return node
        found = initialiser(self.project, module, node)
        return found[1] if found is not None else None

    def _plain(self, candidate: Candidate, function: Function | None) -> Iterator[Attempt]:
        """As its defaults say; weights from elsewhere decide nothing of what a checkpoint holds."""
        for name in _PRETRAINED:
            default = default_of(function, name) if function is not None else None
            if isinstance(default, ast.Constant) and default.value not in (None, False):
                off: ast.expr = ast.Constant(False if default.value is True else None)
                yield from self._around(candidate, Inliner(self.project, self.sites), [], [ast.keyword(name, off)], "")
        yield from self._around(candidate, Inliner(self.project, self.sites), [], [], "")

    def _of_site(
        self, candidate: Candidate, site: Site, function: Function | None, arguments: Arguments
    ) -> Iterator[Attempt]:
        for choice in range(3):
            script = site.module if site.function is None else None
            inliner = Inliner(self.project, self.sites, choice=choice, script=script)
            try:
                given, named = arguments.of(inliner, site, function)
            except Unknown:
                return
            self._prepare(inliner, candidate, site)
            yield from self._around(candidate, inliner, given, named, site.place, function)
            if candidate.kind in ("function", "class"):
                call = first_call(self.project, self.sites, inliner, site)
                if call is not None:
                    yield from self._around(candidate, inliner, given, named, site.place, function, call)
            if choice + 1 >= inliner.configurations:
                return

    def _guessed(self, candidate: Candidate, module: Module, function: Function | None) -> Iterator[Attempt]:
        """Of options and types that have the names of what is asked for."""
        if function is None:
            return
        for choice in range(3):
            inliner = Inliner(self.project, self.sites, choice=choice)
            named = []
            parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            try:
                for name in candidate.required:
                    parameter = next(argument for argument in parameters if argument.arg == name)
                    named.append(ast.keyword(name, self._likely(inliner, parameter, candidate, module)))
            except Unknown:
                return
            yield from self._around(candidate, inliner, [], named, "", function)
            if choice + 1 >= inliner.configurations:
                return

    def _likely(self, inliner: Inliner, parameter: ast.arg, candidate: Candidate, module: Module) -> ast.expr:
        """What is made for the type of a parameter, given to classes beside this one, or set by an option of its name.

        Raises:
            Unknown: nothing of that.
        """
        try:
            return inliner.by_type(parameter, module)
        except Unknown:
            for site, function in self._beside(candidate):
                given = given_to(site.call, function, parameter.arg, skips_first=True)
                if given is not None:
                    with contextlib.suppress(Unknown):
                        return inliner.plain(given, Scope(site.module, site.function, site.owner, site.call.lineno))
            return option(self.project, inliner, parameter.arg, module)

    def _beside(self, candidate: Candidate) -> Iterator[tuple[Site, Function]]:
        """Calls of the classes that inherit from the same class of the project."""
        known = self.project.definition(candidate.called)
        if known is None or not isinstance(known[1], ast.ClassDef):
            return
        bases = {self.project.resolve(known[0], base) for base in known[1].bases}
        bases = {base for base in bases if self.project.definition(base, known[0]) is not None}
        for module in self.project.modules:
            for name, node in module.classes.items():
                if node is not known[1] and bases & {self.project.resolve(module, base) for base in node.bases}:
                    found = initialiser(self.project, module, node)
                    if found is not None:
                        yield from ((site, found[1]) for site in self.sites.of(f"{module.name}.{name}"))

    def _prepare(self, inliner: Inliner, candidate: Candidate, site: Site) -> None:
        """What a program does before it makes the model: parse gin's files."""
        for node in own_nodes(site.block):
            if not isinstance(node, ast.Call) or "parse_config_file" not in ast.unparse(node.func):
                continue
            scope = Scope(site.module, site.function, site.owner, node.lineno)
            try:
                given = [inliner.plain(item, scope) for item in node.args]
                function = inliner.plain(node.func, scope)
            except Unknown:
                continue
            inliner.prelude.append(ast.unparse(ast.Call(function, given, [])))

    def _around(
        self,
        candidate: Candidate,
        inliner: Inliner,
        given: list[ast.expr],
        named: list[ast.keyword],
        place: str,
        function: Function | None = None,
        first_call: str | None = None,
    ) -> Iterator[Attempt]:
        """By the configuration alone where that can say it, and by a function around the call."""
        flags = self._flags(candidate)
        if candidate.kind in ("function", "class") and not inliner.prelude and not flags and first_call is None:
            kwargs = _kwargs(given, named, function, candidate)
            if kwargs is not None:
                yield Attempt(kwargs=kwargs, notes=tuple(inliner.notes), place=place)
                if not kwargs:
                    return
        try:
            part = self._part(inliner, candidate)
        except Unknown:
            return
        notes = tuple(inliner.notes)
        owner, _, method = candidate.builder.partition(":")[2].partition(".")
        name = owner
        while inliner.imports.get(name, f"{candidate.builder.partition(':')[0]}.{owner}") != (
            f"{candidate.builder.partition(':')[0]}.{owner}"
        ):
            name += "_"
        imports = {**inliner.imports, name: f"{candidate.builder.partition(':')[0]}.{owner}"}
        called: ast.expr = ast.Name(name, ast.Load())
        if method:
            called = ast.Attribute(called, method, ast.Load())
        call = _written(ast.Call(called, given, named))
        lines = [*inliner.prelude]
        if flags:
            imports |= flags
            lines.append("flags.FLAGS.mark_as_parsed()  # all flags have their defaults")
        if candidate.kind == "graph":
            imports.setdefault("tf", "tensorflow")
            lines += [
                "graph = tf.Graph()",
                "with graph.as_default():",
                *(f"    {line}" for line in call),
                "return graph",
            ]
        elif first_call is not None:
            lines += [f"model = {call[0]}", *call[1:], f"model{first_call}", "return model"]
        else:
            lines += [f"return {call[0]}", *call[1:]]
            lines[-1] += part
        yield Attempt(imports=imports, body=tuple(lines), notes=notes, place=place, calls=first_call is not None)

    def _part(self, inliner: Inliner, candidate: Candidate) -> str:
        """The code after the call; a method is called as the project calls it, or as its parameters ask for.

        Raises:
            Unknown: nothing tells what it is called with.
        """
        name = f"{candidate.called}{candidate.part.removesuffix('()')}"
        module, method = self.project.definition(name) or (None, None)
        if not candidate.part.endswith("()") or module is None or not isinstance(method, Function):
            return candidate.part
        for site in self.sites.of(name):
            with contextlib.suppress(Unknown):
                given, named = Arguments(self.project).of(inliner, site, method)
                return ast.unparse(ast.Call(ast.Name(candidate.part[:-2], ast.Load()), given, named))
        asked = [parameter for parameter in method.args.args if parameter.arg in required(method.args)[1:]]
        named = [ast.keyword(item.arg, self._likely(inliner, item, candidate, module)) for item in asked]
        return ast.unparse(ast.Call(ast.Name(candidate.part[:-2], ast.Load()), [], named))

    def _flags(self, candidate: Candidate) -> dict[str, str]:
        """Imports that let a model read absl's flags: the flags themselves and whoever defines them."""
        home = next((module for module in self.project.modules if module.file == candidate.file), None)
        if home is None:
            return {}
        reached = closure(self.project, home)
        read = {name for module in reached for name in _flags_read(self.project, module)}
        if not read:
            return {}
        defined = options.of_flags(self.project, home)
        homes = {defined[name].module for name in read if name in defined and defined[name].module not in reached}
        found = {"flags": "absl.flags"}
        return found | {f"_{module.name.rpartition('.')[2]}": module.name for module in homes if module.importable}

    def _of_estimator(self, candidate: Candidate, module: Module, node: Function | ast.ClassDef) -> Iterator[Attempt]:
        """A `model_fn`, called as an Estimator that predicts calls it."""
        inliner = Inliner(self.project, self.sites)
        try:
            features = self._features(inliner)
            named = [ast.keyword("features", features), ast.keyword("labels", ast.Constant(None))]
            named.append(ast.keyword("mode", ast.parse("tf.estimator.ModeKeys.PREDICT", mode="eval").body))
            assert isinstance(node, Function)
            for name in ("params", "config"):
                if any(argument.arg == name for argument in node.args.args):
                    named.append(ast.keyword(name, self._of_estimators(inliner, candidate, name)))
        except Unknown:
            return
        yield from self._around(candidate, inliner, [], named, "")

    def _features(self, inliner: Inliner) -> ast.expr:
        """The placeholders of the function that receives what is served."""
        for name in ("ServingInputReceiver", "build_raw_serving_input_receiver_fn"):
            for site in self.sites.named(name):
                scope = Scope(site.module, site.function, site.owner, site.call.lineno)
                if site.call.args:
                    return inliner.plain(site.call.args[0], scope)
        raise Unknown("features")

    def _of_estimators(self, inliner: Inliner, candidate: Candidate, name: str) -> ast.expr:
        for site in self.sites.named("Estimator"):
            given = next((item.value for item in site.call.keywords if item.arg == name), None)
            if given is not None:
                return inliner.plain(given, Scope(site.module, site.function, site.owner, site.call.lineno))
        return ast.Constant(None) if name == "config" else ast.Dict([], [])


def _flags_read(project: Project, module: Module) -> set[str]:
    """The flags that functions of a module read."""
    found = set()
    for name, node in {**module.functions, **module.classes}.items():
        for item in ast.walk(node) if name != "main" else ():
            if isinstance(item, ast.Attribute):
                full = project.resolve(module, item.value)
                assigned = full == f"{module.name}.FLAGS" and "flags" in module.names
                if options.is_flags(full) or assigned:
                    found.add(item.attr)
    return found


def _kwargs(
    given: list[ast.expr], named: list[ast.keyword], function: Function | None, candidate: Candidate
) -> dict[str, Any] | None:
    """Arguments as a configuration can say them, without those that are the default anyway; None where it cannot."""
    if function is None:
        return {} if not given and not named else None
    first = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
    names = first[first[:1] in (["self"], ["cls"]) :]
    if len(given) > len(names) or any(item.arg is None for item in named):
        return None
    found = {}
    arguments = [*zip(names, given, strict=False), *((str(item.arg), item.value) for item in named)]
    for name, node in arguments:
        default = default_of(function, name)
        if default is not None and ast.dump(default) == ast.dump(node):
            continue
        try:
            value = values.constant(node)
        except ValueError:
            return None
        if default is not None and values.is_known(default) and values.constant(default) == value:
            continue
        if not _is_plain(value):
            return None
        found[name] = _listed(value)
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, str | int | float)


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def _written(call: ast.Call) -> list[str]:
    """A call, an argument a line where it is long."""
    line = ast.unparse(call)
    if len(line) < 90:
        return [line]
    arguments = [ast.unparse(item) for item in call.args]
    arguments += [f"{item.arg}={ast.unparse(item.value)}" for item in call.keywords if item.arg]
    arguments += [f"**{ast.unparse(item.value)}" for item in call.keywords if not item.arg]
    return [f"{ast.unparse(call.func)}(", *(f"    {item}," for item in arguments), ")"]
