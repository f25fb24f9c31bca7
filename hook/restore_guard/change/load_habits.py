"""How a repository saves and loads the checkpoints of each of its models, as its own calls tell it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from restore_guard.change.affected import ImportGraph, Read
from restore_guard.change.load_calls import Call, calls
from restore_guard.change.named_calls import dotted_file
from restore_guard.config import RESTORE_PATHS, Load


class Habit(msgspec.Struct, frozen=True):
    """The calls that are about one model."""

    calls: tuple[Call, ...] = ()

    @property
    def restores(self) -> tuple[str, ...]:
        """The restore paths that any of them is of."""
        used = {call.path for call in self.calls}
        return tuple(path for path in RESTORE_PATHS if path in used)

    @property
    def load(self) -> Load:
        """How checkpoints are loaded, where all calls agree; a looser call is not what others may rely on."""
        weights = [call for call in self.calls if call.loads_weights]
        whole = self._is_of_whole_models
        models = self.of("keras-archive", "loads") + (self.of("h5", "loads") if whole else [])
        objects = dict.fromkeys(name for call in models for name in call.custom_objects)
        return Load(
            custom_objects=tuple(objects),
            skip_mismatch=bool(weights) and all(call.skip_mismatch is True for call in weights),
            compile=not (models and all(call.compile is False for call in models)),
            whole_model=whole,
        )

    @property
    def _is_of_whole_models(self) -> bool:
        """Whether an `.h5` is loaded by `load_model` alone; where nothing loads one, whether it is saved so."""
        calls = self.of("h5", "loads") or self.of("h5")
        return bool(calls) and all(call.whole_model for call in calls)

    def settings(self, promised: Collection[str] = ()) -> list[str]:
        """What the configuration of the model is to say of it, in TOML, beside what is promised already."""
        restores = [path for path in RESTORE_PATHS if path in {*promised, *self.restores}]
        lines = [f"restores = {json.dumps(restores)}"] if restores else []
        said = [f"{name} = {json.dumps(value)}" for name, value in msgspec.to_builtins(self.load).items()]
        return lines + ([f"load = {{ {', '.join(said)} }}"] if said else [])

    @property
    def unclear(self) -> tuple[Call, ...]:
        """The calls that do not tell what they load, or how; those that load otherwise than what is promised of all."""
        otherwise = [call for call in self.of("h5", "loads") if call.whole_model and not self._is_of_whole_models]
        return tuple(call for call in self.calls if call.unknown or call.path is None or call in otherwise)

    def of(self, path: str, does: str | None = None) -> list[Call]:
        """The calls of a restore path, of one direction or of both."""
        return [call for call in self.calls if call.path == path and does in (None, call.does)]


def habits(
    read: Read, files: Iterable[str], builders: Mapping[str, str], roots: Sequence[str] = ("",)
) -> dict[str, Habit]:
    """{model: its habit}. A call is about the models whose code its file imports; about all, where it imports none.

    Args:
        files: the Python files to look at.
        builders: {model: the module of its builder}.
    """
    found = calls(read, files, roots)
    graph = ImportGraph(read, roots)
    made_of = {name: graph.closure(module).files for name, module in builders.items()}
    own = {}
    for name, its in made_of.items():
        others = frozenset().union(*(theirs for other, theirs in made_of.items() if other != name))
        # What several models share tells none from another.
        own[name] = its - others or its
    about: dict[str, frozenset[str]] = {}
    for file in {call.file for call in found}:
        reached = graph.closure(dotted_file(file, roots)).files | {file}
        about[file] = frozenset(name for name, its in own.items() if its & reached) or frozenset(builders)
    return {name: Habit(tuple(call for call in found if name in about[call.file])) for name in builders}
