"""An error of a load call that somebody quotes, explained by a file and the code that it is to go into. Pure.

The messages are those of TensorFlow's `checkpoint/restore.py` and `saver.py`, and of Keras's `saving_lib.py` and
`legacy_h5_format.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from restore_guard.restore_paths.outcome import gist
from restore_guard.result import ModelResult, PathResult, Row, Seen
from restore_guard.rules.shared.words import listing, sizes
from restore_guard.signature import leaf, owner

SHOWN = 6
"""Variables that are told of one message."""

KINDS = (
    (
        r"expected (\d+) variables?,? but received (\d+) variables?",
        "Keras could not load a layer with {0} variables: where it looks, the file holds {1}. The layer is kept under "
        "another name or number in the file, was saved before it was built, or its values have another shape.",
    ),
    (
        r"Layer count mismatch.*?expected (\d+) layers?, found (\d+)",
        "Legacy HDF5 is loaded by position: the code has {0} layers with weights, the file {1}.",
    ),
    (
        r"Weight count mismatch.*?expects (\d+) weight.*?Received (\d+)",
        "Legacy HDF5 is loaded by position: the layer in that place has {0} weights in the code, {1} in the file.",
    ),
    (
        r"Key (\S+) not found in checkpoint",
        "A TensorFlow 1 Saver looks each variable up by its name, and the file has no value named {0}.",
    ),
    (
        r"(?:Could not locate (?:class|function)|Unknown (?:layer|object|class\w*)):? '?(\w+)",
        "The configuration in the file names {0}, which the process that loads has not registered: pass it in "
        "custom_objects, or register it with keras.saving.register_keras_serializable before loading.",
    ),
    (
        r"[Uu]nresolved object in checkpoint|Value in checkpoint could not be found|could not be found in the restored",
        "The file holds a value that no object of the code takes. It is told only where somebody asks "
        "(assert_consumed), or when the process ends.",
    ),
    (
        r"not assigned a value from checkpoint|Nothing except the root object matched|not bound to checkpointed values",
        "An object of the code found no value in the file. tf.train.Checkpoint looks along attributes, not by names.",
    ),
    (
        r"[Ss]hape mismatch|incompatible (?:tensor )?with (?:supplied )?shape|not compatible with supplied shape"
        r"|[Ss]hapes? .{0,80}(?:incompatible|must match)|must match.{0,80}shape|incompatible tensor with shape",
        "A saved value and the variable that it is to go into have different shapes.",
    ),
    (
        r"DataLoss|[Cc]hecksum|truncated file|file signature not found|not a zip file|BadZipFile|Unable to .*open file",
        "The file could not be read as what it is called: it is damaged, half-written or of another format.",
    ),
    (
        r"Failed to find any matching files|No such file or directory|[Uu]nsuccessful TensorSliceReader",
        "TensorFlow found no file of that name: a checkpoint is named without .index and .data-00000-of-00001.",
    ),
)


def explain(message: str, state: str, model: ModelResult | None) -> list[str]:
    """What an error means for this file and this code, in sentences.

    Args:
        state: of the file; see `building.checkpoint.State`.
        model: the verdict on the file in the code; None where no code was judged.
    """
    told = [sentence.format(*found.groups()) for kind, sentence in KINDS if (found := re.search(kind, message, re.S))]
    told = told[:1] or ["This message is none of those that are known."]
    if state == "damaged":
        told.append("This file is damaged.")
    if model is None or not model.restores:
        return told
    named = list(_named(message, model.table))
    told += _compared(message, model.restores)
    if named:
        told += [_described(row) for row in named[:SHOWN]]
        told += [f"and {len(named) - SHOWN} more that it names"] if len(named) > SHOWN else []
    elif lost := [row for row in model.table if row.is_lost]:
        names = listing([_name(row) for row in lost], SHOWN)
        told.append(f"It names no variable of either side. These do not restore: {names}.")
    return told


def _compared(message: str, paths: Mapping[str, PathResult]) -> Iterator[str]:
    """Whether loading this file into this code says so as well."""
    for path, result in paths.items():
        if result.outcome == "raises" and result.error is not None:
            same = _core(gist(result.error)) in _core(message)
            words = gist(result.error).rstrip(".")
            yield f"{path}: loading this file into this code raises {'this very error' if same else f'this: {words}'}."
        elif result.outcome == "restores" and not result.misplaced:
            yield (
                f"{path}: this file restores completely into this code, so the error is of another file, of other "
                "code, or of another version of TensorFlow or Keras."
            )
        elif result.outcome == "partial":
            yield (
                f"{path}: loading this file into this code raises nothing, but {len(result.initial)} variables keep "
                f"their initial value and {len(result.unused)} saved values go nowhere."
            )


def _core(text: str) -> str:
    # Layers and variables are called otherwise in every process.
    bare = re.sub(r"'[^'\n]*'|name:? \S+|Error:", "", text)
    return re.sub(r"\W+", "", bare).lower()


def _named(message: str, rows: Iterable[Row]) -> Iterator[Row]:
    """The variables that a message names, or those of the layers that it names; else those of the shapes in it."""
    words = set(_words(message))
    chosen = set(re.findall(r"(?:['\"]|name=|named |[Ll]ayer )([\w./-]+?)(?=['\",)\s]|$)", message))
    shapes = {tuple(map(int, re.findall(r"\d+", found))) for found in re.findall(r"[(\[]((?:\d+,? ?)+)[)\]]", message)}
    known = list(rows)
    named = [row for row in known if _is_named(row, words, chosen)]
    yield from named or [row for row in known if _has_shapes(row, shapes)]


def _words(message: str) -> Iterator[str]:
    """The words of a message as paths: `(root).dense_1.kernel` and `dense_1/_kernel/.ATTRIBUTES/...` are one."""
    for word in re.findall(r"[\w./()-]+", message):
        bare = word.removeprefix("(root).").split("/.ATTRIBUTES")[0].strip("().")
        path = bare if "/" in bare else bare.replace(".", "/")
        yield "/".join(part.lstrip("_") or part for part in path.split("/"))


def _is_named(row: Row, words: set[str], chosen: set[str]) -> bool:
    seen = [one for one in (row.saved, row.now) if one is not None]
    if any(one.path in words for one in seen):
        return True
    layers = {owner(one.path) for one in seen} - {""}
    return bool(layers & words or {leaf(layer) for layer in layers} & chosen)


def _has_shapes(row: Row, shapes: set[tuple[int, ...]]) -> bool:
    return (
        row.saved is not None
        and row.now is not None
        and row.saved.shape != row.now.shape
        and {row.saved.shape, row.now.shape} <= shapes
    )


def _described(row: Row) -> str:
    fates = "; ".join(f"{path}: {fate}" for path, fate in row.fates.items())
    return f"{_name(row)}: saved {_form(row.saved)}, now {_form(row.now)} ({fates})"


def _form(seen: Seen | None) -> str:
    return f"as {seen.path} {sizes(seen.shape)}" if seen is not None else "nowhere"


def _name(row: Row) -> str:
    seen = row.now or row.saved
    return seen.path if seen is not None else ""
