"""The configuration, `restore-guard.toml` or `[tool.restore-guard]` of `pyproject.toml`, as checked data."""

import datetime
import functools
import re
import reprlib
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal, NoReturn, TypeVar, get_args

import msgspec

from restore_guard import toml_text
from restore_guard.errors import UsageError

OWN_FILE = "restore-guard.toml"
SHARED_FILE = "pyproject.toml"

RestorePath = Literal["tf-checkpoint", "keras-weights", "h5", "h5-by-name", "keras-archive", "tf1-saver"]
RESTORE_PATHS: tuple[str, ...] = get_args(RestorePath)
Level = Literal["error", "warning", "off"]
WitnessMode = Literal["auto", "always", "never"]

T = TypeVar("T", bound=msgspec.Struct)


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all tables of the configuration share."""


class Input(_Table, frozen=True):
    """One input, without its batch dimension; None is a dimension of any size (written -1 in TOML)."""

    shape: tuple[int | None, ...]
    dtype: str = "float32"


class Load(_Table, frozen=True, omit_defaults=True):
    """How the team calls what loads its checkpoints; each restore path takes what it knows of it."""

    custom_objects: tuple[str, ...] = ()
    skip_mismatch: bool = False
    compile: bool = True
    whole_model: bool = False


class Model(_Table, frozen=True):
    builder: str
    kwargs: dict[str, Any] = {}
    inputs: tuple[Input, ...] = ()
    restores: tuple[RestorePath, ...] | None = None
    paths: tuple[str, ...] = ()
    load: Load = Load()
    loads: tuple[str, ...] = ()
    environ: dict[str, str] = {}


class Ignore(_Table, frozen=True):
    rule: str
    reason: str
    model: str = "*"
    variable: str = "*"
    expires: datetime.date | None = None


class Config(_Table, frozen=True):
    manifests: str = "restore-manifest"
    python: str | None = None
    environment: Literal["auto", "shared", "per-commit"] = "auto"
    timeout: float = 300
    witness: int = 20_000_000
    releases: tuple[str, ...] = ()
    rollback: Literal["off", "warning", "error"] = "off"
    pythonpath: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    rules: dict[str, Level] = {}
    models: dict[str, Model] = {}
    ignore: tuple[Ignore, ...] = ()

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders to import from, in their order; "" is the project's own."""
        return (*self.pythonpath, "")


EXPECTED = {
    "manifests": 'a folder of the project, such as "restore-manifest": relative, without ".."',
    "python": 'the Python that builds the models, a path or a command, such as ".venv/bin/python"',
    "environment": '"auto", "shared" or "per-commit"',
    "timeout": "a number of seconds above 0, up to 10 million",
    "witness": "a number of parameters: larger models are not really saved and restored by --witness auto",
    "rollback": '"off", "warning" or "error": whether older code must load what the new code saves',
    "releases": 'a list of tag patterns, such as ["v*"]',
    "pythonpath": 'a list of folders of the project, such as ["src"]: relative, without ".."',
    "carry": 'a list of patterns of files that git ignores, such as ["pkg/_version.py"]: relative, without ".."',
    "rules": "a table of rule = level",
    "models": "a table for each model",
    "builder": 'a function as "package.module:function"',
    "kwargs": "a table of arguments for the builder",
    "inputs": 'a list of tables such as { shape = [16], dtype = "float32" }',
    "shape": "a list of dimensions without the batch, each above 0, or -1 for any size",
    "dtype": 'the name of a dtype, such as "float32"',
    "restores": f"a list of one or more of {', '.join(RESTORE_PATHS)}",
    "paths": 'a list of patterns of project files, such as ["configs/*.yaml"]: relative, without ".."',
    "load": "a table such as { skip_mismatch = true }: how the team calls what loads its checkpoints",
    "loads": "a list of other configured models, into which checkpoints of this one are restored too",
    "custom_objects": 'a list of classes and functions, each as "package.module:Name"',
    "skip_mismatch": "true or false: whether load_weights is called with skip_mismatch=True",
    "compile": "true or false: false where load_model is called with compile=False",
    "whole_model": "true or false: whether files of h5 are written by model.save and loaded by load_model",
    "environ": 'a table of environment variables, such as { TF_USE_LEGACY_KERAS = "1" }',
    "ignore": "a list of [[ignore]] tables",
    "rule": "the name of a rule",
    "reason": "the reason in a few words",
    "model": 'the name of a configured model, or "*"',
    "variable": 'a pattern of variable paths, such as "aux_head/*"',
    "expires": "a date such as 2027-03-01",
}
"""What each key takes, in the words of every error about it."""


_LONGEST = 10_000_000
"""Seconds: four months."""


def load(read: Callable[[str], bytes | None], *, rules: Collection[str] = ()) -> tuple[str, Config] | None:
    """Find and validate the configuration of the project that `read` gives files of.

    In: `read`, the content of a file of the project or None (from a commit, the index or disk);
    `rules`, the known rule names (none: rule names are not checked).
    Out: the file's name and its configuration; None where neither file configures restore-guard.
    Raises UsageError that names file and key.
    """
    return _read(read(OWN_FILE), read(SHARED_FILE), tuple(rules))


@functools.lru_cache(maxsize=4)  # both sides of most changes have the same
def _read(own_content: bytes | None, shared_content: bytes | None, rules: Collection[str]) -> tuple[str, Config] | None:
    own, shared = _parse(own_content, OWN_FILE), _parse(shared_content, SHARED_FILE)
    shared = _table((shared or {}).get("tool", {}), (SHARED_FILE, "tool")).get("restore-guard")
    if own is not None and shared is not None:
        raise UsageError(
            f"{OWN_FILE} and [tool.restore-guard] of {SHARED_FILE} both configure restore-guard: keep one of them"
        )
    if own is not None:
        return OWN_FILE, _config(own, (OWN_FILE,), rules)
    if shared is not None:
        return SHARED_FILE, _config(shared, (SHARED_FILE, "tool", "restore-guard"), rules)
    return None


def expired(config: Config, today: datetime.date) -> list[Ignore]:
    """The ignores whose last day is over."""
    return [ignore for ignore in config.ignore if ignore.expires and ignore.expires < today]


def without_expired(config: Config, today: datetime.date) -> Config:
    """The configuration as it counts today: an ignore whose last day is over ignores nothing any more."""
    over = expired(config, today)
    return msgspec.structs.replace(config, ignore=tuple(entry for entry in config.ignore if entry not in over))


def ignores(entry: Ignore, model: str, rule: str, variables: Iterable[str] = ()) -> bool:
    """Whether an entry silences a rule for a model, and for all of these variables."""
    return (
        entry.rule == rule
        and fnmatchcase(model, entry.model)
        and all(fnmatchcase(name, entry.variable) for name in variables)
    )


def ignored_models(config: Config, entry: Ignore) -> set[str]:
    """The configured models that an entry is about."""
    return {name for name in config.models if fnmatchcase(name, entry.model)}


def _parse(content: bytes | None, file: str) -> dict[str, Any] | None:
    if content is None or (file == SHARED_FILE and b"restore-guard" not in content):
        return None  # a pyproject.toml that does not speak of us is neither parsed nor judged
    try:
        return toml_text.decode(content)
    except ValueError as error:
        raise UsageError(f"{file}: not valid TOML: {error}") from error


def _config(table: Any, where: tuple[str, ...], rules: Collection[str]) -> Config:
    table = _table(table, where)
    models = {
        name: _model(name, model, (*where, "models", name))
        for name, model in _table(table.get("models", {}), (*where, "models")).items()
    }
    for name, model in models.items():
        for other in model.loads:
            _demand(other in models and other != name, "loads", [other], (*where, "models", name))
    levels = _table(table.get("rules", {}), (*where, "rules"))
    for rule, level in levels.items():
        _known(rule, rules, "rule", (*where, "rules"))
        if level not in get_args(Level):
            _fail((*where, "rules", rule), f'expected "error", "warning" or "off", found {_show(level)}')
    ignores = table.get("ignore", [])
    if isinstance(ignores, list):
        known = {*models, "*"}
        ignores = [_ignore(ignore, (*where, f"ignore[{index}]"), rules, known) for index, ignore in enumerate(ignores)]
    config = _convert({**table, "models": models, "rules": levels, "ignore": ignores}, Config, where)

    # What waits for a build cannot wait for any number of seconds.
    _demand(0 < config.timeout <= _LONGEST, "timeout", config.timeout, where)
    _demand(config.witness >= 0, "witness", config.witness, where)
    _demand(_inside(config.manifests), "manifests", config.manifests, where)
    _demand(all(map(_inside, config.carry)), "carry", list(config.carry), where)
    _demand(all(map(_inside, config.pythonpath)), "pythonpath", list(config.pythonpath), where)
    return config


def _model(name: str, table: Any, where: tuple[str, ...]) -> Model:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        _fail(where, "a model's name becomes a file name: use letters, digits, '.', '_' and '-' only")
    table = _table(table, where)
    inputs = table.get("inputs", [])
    if isinstance(inputs, list):
        inputs = [_input(entry, (*where, f"inputs[{index}]")) for index, entry in enumerate(inputs)]
    load = _convert(table.get("load", {}), Load, (*where, "load"))
    model = _convert({**table, "inputs": inputs, "load": msgspec.to_builtins(load)}, Model, where)

    _demand(_is_object(model.builder), "builder", model.builder, where)
    objects = model.load.custom_objects
    _demand(all(map(_is_object, objects)), "custom_objects", list(objects), (*where, "load"))
    _demand_plain(model.kwargs, (*where, "kwargs"))
    _demand(model.restores is None or bool(model.restores), "restores", [], where)
    _demand(all(map(_inside, model.paths)), "paths", list(model.paths), where)
    are_variables = all(key and "=" not in key and "\0" not in key + value for key, value in model.environ.items())
    _demand(are_variables, "environ", model.environ, where)
    return model


def _is_object(text: str) -> bool:
    """Whether a text names something of a module."""
    module, _, name = text.partition(":")
    return all(part.isidentifier() for part in [*module.split("."), name])


def of_builder(builder: str, kwargs: dict[str, Any]) -> Model:
    """A model that no configuration names. Raises UsageError where `builder` names no function."""
    if not _is_object(builder):
        _fail(("--builder",), _unexpected("builder", builder))
    return Model(builder, kwargs)


def _input(table: Any, where: tuple[str, ...]) -> Input:
    entry = _convert(table, Input, where)
    are_sizes = all(size is not None and (size == -1 or size > 0) for size in entry.shape)
    _demand(are_sizes, "shape", list(entry.shape), where)
    return Input(tuple(None if size == -1 else size for size in entry.shape), entry.dtype)


def _ignore(table: Any, where: tuple[str, ...], rules: Collection[str], models: Collection[str]) -> Ignore:
    ignore = _convert(table, Ignore, where)
    _demand(bool(ignore.reason.strip()), "reason", ignore.reason, where)
    _known(ignore.rule, rules, "rule", (*where, "rule"))
    _known(ignore.model, models, "model", (*where, "model"))
    return ignore


def _convert(table: Any, struct: type[T], where: tuple[str, ...]) -> T:
    """`table` as a `struct`; msgspec's errors are reworded, as they leave out the names of tables."""
    for key in _table(table, where):
        _known(key, struct.__struct_fields__, "key", where)
    try:
        return msgspec.convert(table, struct)
    except msgspec.ValidationError as error:
        if missing := re.search(r"missing required field `(\w+)`", str(error)):
            _fail((*where, missing[1]), f"is missing: expected {EXPECTED[missing[1]]}")
        if wrong := re.search(r"`\$\.(\w+)", str(error)):
            _fail((*where, wrong[1]), _unexpected(wrong[1], table[wrong[1]]))
        _fail(where, str(error))


def _table(value: Any, where: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        _fail(where, f"expected a table, found {_show(value)}")
    return value


def _known(name: str, names: Iterable[str], kind: str, where: tuple[str, ...]) -> None:
    names = sorted(names)
    if names and name not in names:
        import difflib

        close = difflib.get_close_matches(name, names, n=1)
        advice = f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"
        _fail(where, f"unknown {kind} {name}; {advice}")


def _inside(path: str) -> bool:
    """Whether a path stays inside the project, on every system."""
    return (
        bool(path.strip())
        and not PureWindowsPath(path).anchor
        and ".." not in PurePosixPath(path.replace("\\", "/")).parts
    )


def _demand(fulfilled: bool, key: str, value: Any, where: tuple[str, ...]) -> None:
    if not fulfilled:
        _fail((*where, key), _unexpected(key, value))


def _unexpected(key: str, value: Any) -> str:
    return f"expected {EXPECTED[key]}, found {_show(value)}"


def _demand_plain(value: Any, where: tuple[str, ...]) -> None:
    """What a builder is given goes to another Python as JSON."""
    if isinstance(value, dict | list):
        keyed = value.items() if isinstance(value, dict) else ((f"[{n}]", item) for n, item in enumerate(value))
        for key, item in keyed:
            _demand_plain(item, (*where, key))
    elif not isinstance(value, str | int | float):
        _fail(where, f"expected text, a number, true or false, a list or a table, found {_show(value)}")


def _show(value: Any) -> str:
    return reprlib.repr(value)


def _fail(where: tuple[str, ...], problem: str) -> NoReturn:
    file, *keys = where
    raise UsageError(": ".join(filter(None, [file, ".".join(keys), problem])))
