"""What `init` proposes that a model promises: as the repository's own calls save and load, unless somebody says it."""

from __future__ import annotations

from typing import get_args

import msgspec

from restore_guard import config
from restore_guard.change.load_habits import Habit
from restore_guard.commands.survey import Model, Survey
from restore_guard.config import Load, RestorePath
from restore_guard.errors import UsageError
from restore_guard.restore_paths import default_paths, restore_unchanged
from restore_guard.signature import Signature


def habit_of(found: Survey, model: Model) -> Habit:
    return found.habits.get(model.name, Habit())


def entry(found: Survey, model: Model) -> config.Model:
    """The model's table of the configuration."""
    entry = model.configured(restores_of(found, model))
    return msgspec.structs.replace(entry, load=load_of(found, model))


def restores_of(found: Survey, model: Model) -> tuple[RestorePath, ...] | None:
    """The restore paths that a model can have of those that somebody named, or that the repository's own calls are
    of; None for those that it has anyway.
    """
    signature = model.build.signature
    if signature is None:
        return None
    default = default_paths(signature)
    if "tf1-saver" in default:
        return None
    used = {*(found.asked or habit_of(found, model).restores)} - {"tf1-saver"}
    if signature.keras_tree is None and "keras-weights" not in signature.unread:
        used &= {"tf-checkpoint"}
    wanted = tuple(path for path in get_args(RestorePath) if path in used)
    if not found.asked:
        # What raises for the model as it is, such as one without `call` that Keras 3 does not save, promises nothing.
        able = [path for path in get_args(RestorePath) if _restores(path, signature)]
        wanted = tuple(path for path in able if path in wanted) or tuple(path for path in able if path in default)
    return wanted if wanted and wanted != default else None


def _restores(path: str, signature: Signature) -> bool:
    """Whether a model restores as it is; what was not read of it may."""
    is_read = path not in signature.unread and path != "keras-archive"
    return not is_read or restore_unchanged(path, signature).kind != "unsupported"


def promised(found: Survey, model: Model) -> tuple[str, ...]:
    """The restore paths that a model will promise."""
    signature = model.build.signature
    return restores_of(found, model) or (default_paths(signature) if signature is not None else ())


def load_of(found: Survey, model: Model) -> Load:
    """The repository's own load call, with the classes that building the model imports anyway: importing what else
    hands over classes might train.
    """
    load = habit_of(found, model).load
    read = model.build.signature.sources if model.build.signature is not None else ()
    imported = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in read}

    def known(name: str) -> bool:
        module = name.partition(":")[0]
        return any(path == module or path.endswith(f".{module}") for path in imported)

    return msgspec.structs.replace(load, custom_objects=tuple(filter(known, load.custom_objects)))


def paths_of(answer: str) -> tuple[RestorePath, ...]:
    """The restore paths that an answer names; none for `shown`.

    Raises:
        UsageError: it names something else.
    """
    names = answer.replace(",", " ").split()
    paths = tuple(path for path in get_args(RestorePath) if path in names)
    for name in names if names != ["shown"] else ():
        if name not in paths:
            raise UsageError(f"{name} is no restore path: {', '.join(get_args(RestorePath))}.")
    return paths
