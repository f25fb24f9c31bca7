"""The calls by which a repository's own code saves and loads checkpoints, told from its text alone.

What decides is the end of the file's name and a few arguments; one that is no constant is named, and never guessed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from restore_guard.change import file_names, syntax
from restore_guard.change.named_calls import Text, argument
from restore_guard.config import RestorePath

KERAS = re.compile(r"^(tensorflow\.(compat\.v[12]\.|python\.)?)?(tf_)?keras\.")
CHECKPOINTS = re.compile(r"^tensorflow\.(compat\.v[12]\.)?train\.(Checkpoint|CheckpointManager)$")
SAVER = re.compile(r"^tensorflow\.(compat\.v1\.)?train\.Saver$")
CALLBACK = re.compile(r"\bcallbacks\.ModelCheckpoint$")
SCOPE = re.compile(r"\b(custom_object_scope|CustomObjectScope)$")

OF_CHECKPOINTS = {
    **dict.fromkeys(("save", "write"), "saves"),
    **dict.fromkeys(("restore", "read", "restore_or_initialize"), "loads"),
}
OF_WEIGHTS = {"save_weights": "saves", "load_weights": "loads"}
OF_MODELS = {"save_model": "saves", "load_model": "loads"}

WHOLE_H5 = "other calls load the weights of an .h5 alone, and one promise has one load call"
SAVED_MODEL = "a SavedModel brings its own graph, so what the code builds does not decide"
UNKNOWN_FILE = "how its file is called is not a constant"

Does = Literal["saves", "loads"]


class Call(msgspec.Struct, frozen=True):
    """One call that saves or loads.

    Attributes:
        what: the call as it is written, without its arguments.
        path: the restore path that it is of; None where that cannot be told, for the reason in `why`.
        custom_objects: the classes that it hands over, as `module:Name`.
        skip_mismatch, compile: what it says of them; None where it leaves them to Keras.
        whole_model: whether it is of a whole model in an `.h5`.
        unknown: the arguments that decide what is restored and are no constants.
    """

    file: str
    line: int
    does: Does
    what: str
    path: RestorePath | None = None
    why: str = ""
    custom_objects: tuple[str, ...] = ()
    skip_mismatch: bool | None = None
    compile: bool | None = None
    whole_model: bool = False
    unknown: tuple[str, ...] = ()

    @property
    def loads_weights(self) -> bool:
        """Whether it is a call that takes `skip_mismatch`."""
        return self.what.endswith("load_weights")

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.what}"


def calls(read: Callable[[str], bytes | None], files: Iterable[str], roots: Sequence[str] = ("",)) -> list[Call]:
    """All such calls of some Python files, in the order of files and lines; a file that is no Python has none.

    Args:
        read: gives the content of a file.
        roots: the folders that modules are imported from; "" is the project's own.
    """
    found: list[Call] = []
    for file in sorted(files):
        content = read(file) or b""
        if any(word in content for word in (b"load", b"save", b"restore", b"Checkpoint")):
            found += sorted(_of(Text(file, content, roots)), key=lambda call: call.line)
    return found


def _of(text: Text) -> Iterator[Call]:
    for node in text.calls:
        name, method = text.dotted(node.func), syntax.leaf(node.func)
        if SAVER.match(text.made(node)) and method in ("save", "restore"):
            yield _call(text, node, "saves" if method == "save" else "loads", path="tf1-saver")
        elif CHECKPOINTS.match(text.made(node)) and method in OF_CHECKPOINTS:
            yield _call(text, node, OF_CHECKPOINTS[method], path="tf-checkpoint")
        elif KERAS.match(name) and method in OF_MODELS:
            file = 1 if method == "save_model" else 0
            yield _with_load(text, node, _of_model(text, node, OF_MODELS[method], argument(node, file, "filepath")))
        elif CALLBACK.search(name):
            yield _of_callback(text, node)
        elif method in OF_WEIGHTS and isinstance(node.func, ast.Attribute):
            yield _with_load(text, node, _of_weights(text, node, OF_WEIGHTS[method]))
        elif method == "save" and isinstance(node.func, ast.Attribute):
            given = argument(node, 0, "filepath")
            # Much else has a method `save`: the file says that it is a model's.
            if (file_names.ending(given, text.value) or "").endswith((".keras", ".h5", ".hdf5")):
                yield _of_model(text, node, "saves", given)


def _call(text: Text, node: ast.Call, does: str, *, path: RestorePath | None = None, why: str = "") -> Call:
    called = node.func
    what = ast.unparse(called) if not isinstance(called, ast.Attribute) else f"{_short(called.value)}.{called.attr}"
    return Call(text.file, node.lineno, "saves" if does == "saves" else "loads", what, path, why)


def _short(node: ast.expr) -> str:
    """What a method is called on, without the arguments that made it."""
    return f"{ast.unparse(node.func)}(...)" if isinstance(node, ast.Call) else ast.unparse(node)


def _of_model(text: Text, node: ast.Call, does: str, given: ast.expr | None) -> Call:
    ending = file_names.ending(given, text.value)
    if ending is None:
        return replace(_call(text, node, does, why=UNKNOWN_FILE), unknown=("filepath",))
    if ending.endswith(".keras"):
        return _call(text, node, does, path="keras-archive")
    if ending.endswith((".h5", ".hdf5")):
        return replace(_call(text, node, does, path="h5", why=WHOLE_H5), whole_model=True)
    return _call(text, node, does, why=SAVED_MODEL)


def _of_weights(text: Text, node: ast.Call, does: str) -> Call:
    form, _ = text.constant(argument(node, None, "save_format"))
    by_name, known = text.constant(argument(node, None, "by_name"))
    given = argument(node, _place(text, node), "filepath")
    path = _path_of_weights(file_names.ending(given, text.value), form)
    if path is None and _is_latest(text, given):
        path = "tf-checkpoint"
    if path == "h5" and by_name is True:
        path = "h5-by-name"
    call = _call(text, node, does, path=path, why="" if path else UNKNOWN_FILE)
    unknown = [] if path else ["filepath"]
    return replace(call, unknown=tuple(unknown + ([] if known else ["by_name"])))


def _place(text: Text, node: ast.Call) -> int:
    """Where a call has its file: keras.saving.load_weights and save_weights take the model first."""
    return 1 if KERAS.match(text.dotted(node.func)) else 0


def _is_latest(text: Text, given: ast.expr | None) -> bool:
    """Whether a file is the newest of a folder, as TensorFlow counts its own checkpoints."""
    found = text.value(given) if given is not None else None
    named = found.func if isinstance(found, ast.Call) else found
    return named is not None and syntax.leaf(named) == "latest_checkpoint"


def _path_of_weights(ending: str | None, form: object) -> RestorePath | None:
    if form in ("tf", "h5"):
        return "tf-checkpoint" if form == "tf" else "h5"
    if ending is None:
        return None
    if ending.endswith((".weights.h5", ".weights.json")):
        return "keras-weights"
    return "h5" if ending.endswith((".h5", ".hdf5", ".keras")) else "tf-checkpoint"


def _of_callback(text: Text, node: ast.Call) -> Call:
    """keras.callbacks.ModelCheckpoint: what it saves is the model, unless it is told otherwise."""
    given = argument(node, 0, "filepath")
    weights, known = text.constant(argument(node, None, "save_weights_only"))
    if not known:
        unsure = _call(text, node, "saves", why="whether it saves the weights alone is not a constant")
        return replace(unsure, unknown=("save_weights_only",))
    if not weights:
        return _of_model(text, node, "saves", given)
    path = _path_of_weights(file_names.ending(given, text.value), None)
    call = _call(text, node, "saves", path=path, why="" if path else UNKNOWN_FILE)
    return call if path else replace(call, unknown=("filepath",))


def _with_load(text: Text, node: ast.Call, call: Call) -> Call:
    """The call with the arguments that decide what a load restores."""
    if call.does == "saves":
        return call
    unknown, flags = list(call.unknown), {}
    for name, place in (("skip_mismatch", None), ("compile", 2)):
        value, known = text.constant(argument(node, place if syntax.leaf(node.func) == "load_model" else None, name))
        flags[name] = value if isinstance(value, bool) else None
        unknown += [] if known and (value is None or isinstance(value, bool)) else [name]
    given = [argument(node, 1, "custom_objects")] if syntax.leaf(node.func) == "load_model" else []
    given += [argument(scope, 0, "objs") for scope in text.around(node) if SCOPE.search(text.dotted(scope.func))]
    objects: list[str] = []
    for handed in given:
        found = _objects(text, handed)
        objects += found or []
        unknown += ["custom_objects"] if found is None else []
    if syntax.leaf(node.func) == "load_weights" and len(node.args) > _place(text, node) + 1:
        unknown.append("the second argument, which is by_name or skip_mismatch by the version of Keras")
    return replace(
        call,
        custom_objects=tuple(dict.fromkeys(objects)),
        skip_mismatch=flags["skip_mismatch"],
        compile=flags["compile"],
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _objects(text: Text, given: ast.expr | None) -> list[str] | None:
    """The classes of a table {name: class} as `module:Name`; None where it is not written out."""
    if given is None or (isinstance(given, ast.Constant) and given.value is None):
        return []
    table = text.value(given)
    if not isinstance(table, ast.Dict):
        return None
    found = []
    for key, value in zip(table.keys, table.values, strict=True):
        module, _, name = text.dotted(value).rpartition(".")
        # Keras finds a class by the key; the configuration by the name of the class.
        if not (isinstance(key, ast.Constant) and key.value == name and module):
            return None
        found.append(f"{module}:{name}")
    return found
