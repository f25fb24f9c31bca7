"""The manifest: a signature that the team has promised to keep restorable, as a file for review and for merging.

One variable, object or layer a line; everything refers by name, never by number, so that an insertion changes
only its own lines. No time, no host, no digest.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from restore_guard.promise.manifest_text import (
    archive_to_document,
    graph_from_names,
    graph_to_names,
    h5_from_names,
    h5_to_names,
    line_of,
    line_with,
    lines,
    saver_from_names,
    saver_to_names,
    tree_from_names,
    tree_to_names,
    with_archive,
)
from restore_guard.signature import (
    Holder,
    Signature,
    Tensor,
    Variable,
)

SCHEMA = 1


class ManifestError(ValueError):
    """A manifest that cannot be read; the message names file, line and what to do."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.message = file, line, message


class Broken(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an accepted break does on one restore path."""

    outcome: str
    initial: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()
    error: str | None = None


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the history: from this epoch on, older checkpoints no longer restore, on purpose."""

    epoch: int
    reason: str
    broken: dict[str, Broken]


class Manifest(msgspec.Struct, frozen=True):
    """A promise: checkpoints of `signature` restore by the paths in `restores`.

    Attributes:
        epoch: 1, raised by each accepted break.
        history: the accepted breaks, oldest first.
        pinned: {restore path: the checkpoint that it is pinned to}: there the signature holds what that file does,
            with the variables that restore from it, and not what a build would write.
    """

    model: str
    restores: tuple[str, ...]
    signature: Signature
    epoch: int = 1
    history: tuple[Accepted, ...] = ()
    pinned: dict[str, str] = {}


class _Sources(msgspec.Struct):
    sources: tuple[str, ...] = ()


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    """The file's form."""

    schema: int
    model: str
    epoch: int
    restores: tuple[str, ...]
    framework: dict[str, str]
    history: tuple[Accepted, ...]
    sources: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    variables: tuple[Variable, ...]
    holders: tuple[Holder, ...]
    aliases: tuple[tuple[str, str], ...]
    object_graph: dict[str, Any]
    keras_tree: dict[str, Any] | None
    h5_file: dict[str, Any] | None
    archive: dict[str, Any] | None = None
    saver_file: dict[str, Any] | None = None
    pinned: dict[str, str] = {}


def dump(manifest: Manifest) -> bytes:
    """Returns the file's content."""
    signature = manifest.signature.without_sites()
    names = [variable.path for variable in signature.variables]
    document = {
        "schema": SCHEMA,
        "model": manifest.model,
        "epoch": manifest.epoch,
        "restores": list(manifest.restores),
        **({"pinned": manifest.pinned} if manifest.pinned else {}),
        "framework": dict(sorted(signature.framework.items())),
        "history": [msgspec.to_builtins(entry) for entry in manifest.history],
        "sources": list(signature.sources),
        "inputs": [msgspec.to_builtins(tensor) for tensor in signature.inputs],
        "outputs": [msgspec.to_builtins(tensor) for tensor in signature.outputs],
        "variables": [msgspec.to_builtins(variable) for variable in signature.variables],
        "holders": [msgspec.to_builtins(holder) for holder in signature.holders],
        "aliases": [list(pair) for pair in signature.aliases],
        "object_graph": graph_to_names(signature.object_graph, names),
        "keras_tree": tree_to_names(signature.keras_tree, names) if signature.keras_tree else None,
        "h5_file": h5_to_names(signature.h5_file, names) if signature.h5_file else None,
    }
    # Only where the path that needs it is promised.
    if signature.archive is not None:
        document["archive"] = archive_to_document(signature)
    if signature.saver_file is not None:
        document["saver_file"] = saver_to_names(signature.saver_file, names)
    return lines(document).encode()


# How a manifest was found at one side: read, unreadable, or not there.
Found = Manifest | ManifestError | None


def parse(content: bytes, file: str) -> Manifest:
    """Reads a manifest.

    Raises:
        ManifestError: not a manifest, half-merged or edited by hand so that it contradicts itself.
    """
    for number, line in enumerate(content.splitlines(), 1):
        if re.match(rb"(<{7}|>{7}|={7})( |$)", line):
            raise ManifestError(
                file,
                number,
                "a merge conflict is not resolved: take either side, then run `restore-guard update`.",
            )
    try:
        document = msgspec.json.decode(content, type=_Document)
        return _manifest(document)
    except msgspec.ValidationError as error:
        raise ManifestError(file, line_of(content, str(error)), f"{error}. {_ADVICE}") from error
    except msgspec.DecodeError as error:
        position = re.search(r"byte (\d+)", str(error))
        line = content[: int(position[1])].count(b"\n") + 1 if position else 1
        raise ManifestError(file, line, f"{error}. {_ADVICE}") from error
    except RecursionError as error:
        raise ManifestError(file, 1, f"It is nested too deeply. {_ADVICE}") from error
    except (KeyError, ValueError) as error:
        named = str(error.args[0]) if error.args else ""
        raise ManifestError(
            file, line_with(content, named), f"{named!r} is referred to but does not exist. {_ADVICE}"
        ) from error


def sources(content: bytes) -> frozenset[str]:
    """The files that a manifest lists, without reading the rest of it; none where it cannot be read."""
    try:
        return frozenset(msgspec.json.decode(content, type=_Sources).sources)
    except (msgspec.DecodeError, RecursionError):
        return frozenset()


_ADVICE = "A manifest is written by `restore-guard update`; restore the committed file, then run it."


def write(path: Path, manifest: Manifest) -> bool:
    """Writes the file at once or not at all; returns whether its content changed."""
    content = dump(manifest)
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.is_file() else 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return True


def _manifest(document: _Document) -> Manifest:
    if document.schema != SCHEMA:
        raise msgspec.ValidationError(
            f"schema {document.schema} is of another version of restore-guard (this one reads {SCHEMA}) - at `$.schema`"
        )
    index = {variable.path: number for number, variable in enumerate(document.variables)}
    if len(index) != len(document.variables):
        raise msgspec.ValidationError("two variables have the same path - at `$.variables`")
    signature = Signature(
        framework=document.framework,
        variables=document.variables,
        object_graph=graph_from_names(document.object_graph, index),
        holders=document.holders,
        aliases=document.aliases,
        keras_tree=tree_from_names(document.keras_tree, index) if document.keras_tree is not None else None,
        h5_file=h5_from_names(document.h5_file, index) if document.h5_file is not None else None,
        saver_file=saver_from_names(document.saver_file, index) if document.saver_file is not None else None,
        inputs=document.inputs,
        outputs=document.outputs,
        sources=document.sources,
    )
    if document.archive is not None:
        signature = with_archive(signature, document.archive)
    return Manifest(document.model, document.restores, signature, document.epoch, document.history, document.pinned)


# Objects are named by the first path of edges that leads to them, as a checkpoint's keys are.


@dataclass(frozen=True)
class Release:
    """What the tags of one or several releases promised of a model, alike."""

    tags: tuple[str, ...]
    promise: Manifest

    @property
    def label(self) -> str:
        shown = ", ".join(self.tags[:3])
        return shown if len(self.tags) <= 3 else f"{shown} and {len(self.tags) - 3} more"
