"""The manifest: a signature that the team has promised to keep restorable, as a file for review and for merging.

One variable, object or layer a line; everything refers by name, never by number, so that an insertion changes
only its own lines. No time, no host, no digest.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from restore_guard.config import RestorePath
from restore_guard.load_call import LoadCall
from restore_guard.promise import files, manifest_reading, manifest_text, stages_text
from restore_guard.promise.json_text import Malformed, convert, decode, line, name
from restore_guard.signature import Holder, Input, Signature, Tensor, Variable

SCHEMA = 1

Epoch = Annotated[int, msgspec.Meta(ge=1)]


class ManifestError(ValueError):
    """A manifest that cannot be read; the message names file, line and what to do."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.message = file, line, message


class Broken(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an accepted break does on one restore path."""

    outcome: Literal["partial", "raises", "restores"]
    initial: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()
    error: str | None = None


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the history: from this epoch on, older checkpoints no longer restore, on purpose."""

    epoch: Epoch
    reason: str
    broken: dict[RestorePath, Broken]

    def on(self, path: str) -> Broken | None:
        """What it accepts on a restore path; None where it accepts nothing there."""
        return next((broken for name, broken in self.broken.items() if name == path), None)


class AcceptedLoad(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What restoring checkpoints of the model into another one loses, on purpose."""

    into: str
    reason: str
    broken: dict[RestorePath, Broken]

    def on(self, path: str) -> Broken | None:
        """As `Accepted.on`."""
        return next((broken for name, broken in self.broken.items() if name == path), None)


class Manifest(msgspec.Struct, frozen=True):
    """A promise: checkpoints of `signature` restore by the paths in `restores`.

    Attributes:
        epoch: 1, raised by each accepted break.
        history: the accepted breaks, oldest first.
        loads: what is accepted of restoring its checkpoints into other models.
        pinned: {restore path: the checkpoint that it is pinned to}: there the signature holds what that file does,
            with the variables that restore from it, and not what a build would write.
    """

    model: str
    restores: tuple[str, ...]
    signature: Signature
    epoch: int = 1
    history: tuple[Accepted, ...] = ()
    pinned: dict[RestorePath, str] = {}
    loads: tuple[AcceptedLoad, ...] = ()


def since(promise: Manifest, history: Sequence[Accepted]) -> tuple[Accepted, ...]:
    """The entries of a history that a manifest does not have: the breaks that were accepted after it was written.

    By what they say, as a merge gives those of one side a new number.
    """
    known = [(entry.reason, entry.broken) for entry in promise.history]
    found = []
    for entry in history:
        said = entry.reason, entry.broken
        if said in known:
            known.remove(said)
        else:
            found.append(entry)
    return tuple(found)


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """The file's form; the last sections are `manifest_reading`'s."""

    schema: int
    model: str
    epoch: Epoch
    restores: tuple[RestorePath, ...]
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
    whole_h5: dict[str, Any] | None = None
    saver_file: dict[str, Any] | None = None
    takes: tuple[Input, ...] = ()
    stages: dict[Literal["uncalled", "untrained"], Any] | None = None
    load: LoadCall = LoadCall()
    eager: bool = True
    pinned: dict[RestorePath, str] = {}
    loads: tuple[AcceptedLoad, ...] = ()
    looked_for: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()


def dump(manifest: Manifest) -> bytes:
    """Returns the file's content."""
    signature = manifest.signature.without_sites()
    document = {
        "schema": SCHEMA,
        "model": manifest.model,
        "epoch": manifest.epoch,
        "restores": list(manifest.restores),
        **({"pinned": manifest.pinned} if manifest.pinned else {}),
        "framework": dict(sorted(signature.framework.items())),
        "history": [msgspec.to_builtins(entry) for entry in manifest.history],
        **({"loads": [msgspec.to_builtins(entry) for entry in manifest.loads]} if manifest.loads else {}),
        "sources": list(signature.sources),
        # Of most models there is nothing else to say.
        **{name: list(found) for name in ("looked_for", "folders", "opaque") if (found := getattr(signature, name))},
        "inputs": [msgspec.to_builtins(tensor) for tensor in signature.inputs],
        "outputs": [msgspec.to_builtins(tensor) for tensor in signature.outputs],
        **({"takes": [msgspec.to_builtins(item) for item in signature.takes]} if signature.takes else {}),
        "variables": [msgspec.to_builtins(variable) for variable in signature.variables],
        "holders": [msgspec.to_builtins(holder) for holder in signature.holders],
        "aliases": [list(pair) for pair in signature.aliases],
        **manifest_text.write(signature),
        **({"load": msgspec.to_builtins(signature.load)} if signature.load != LoadCall() else {}),
        **({} if signature.eager else {"eager": False}),
    }
    if signature.stages is not None:
        document["stages"] = stages_text.write(signature, document)
    return manifest_text.lines(document).encode()


# How a manifest was found at one side: read, unreadable, or not there.
Found = Manifest | ManifestError | None


def parse(content: bytes, file: str, model: str | None = None) -> Manifest:
    """Reads a manifest.

    Args:
        file: what an error calls it.
        model: whose it must be; None where that is not known.

    Raises:
        ManifestError: not a manifest, half-merged or edited by hand so that it contradicts itself.
    """
    for number, text in enumerate(content.splitlines(), 1):
        if re.match(rb"(<{7}|>{7}|={7})( |$)", text):
            raise ManifestError(
                file,
                number,
                "a merge conflict is not resolved: run `restore-guard update` when the model's code is merged.",
            )
    try:
        return _manifest(decode(content), model)
    except Malformed as error:
        at = error.line or line(content, error.place)
        where = f"{name(error.place)}: " if error.place else ""
        raise ManifestError(file, at, f"{where}{error.sentence}. {_ADVICE}") from error


_ADVICE = "A manifest is written by `restore-guard update`; restore the committed file, then run it."


def write(path: Path, manifest: Manifest) -> bool:
    """Writes the file at once or not at all; returns whether its content changed."""
    return files.write(path, dump(manifest))


class Release(msgspec.Struct, frozen=True):
    """What the tags of one or several releases promised of a model, alike."""

    tags: tuple[str, ...]
    promise: Manifest

    @property
    def label(self) -> str:
        shown = ", ".join(self.tags[:3])
        return shown if len(self.tags) <= 3 else f"{shown} and {len(self.tags) - 3} more"


class Earlier(msgspec.Struct, frozen=True):
    """A promise under which older checkpoints were saved.

    Attributes:
        label: says to a person of which it is.
        commit: the one that has written it; None for a release's.
    """

    label: str
    promise: Manifest
    commit: str | None = None


def _manifest(data: Any, model: str | None) -> Manifest:
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, int) and schema != SCHEMA:
        sentence = f"schema {schema} is of another version of restore-guard (this one reads {SCHEMA})"
        raise Malformed(sentence, ("schema",))
    document = convert(data, Document)
    if model is not None and document.model != model:
        raise Malformed(f"it is the manifest of {document.model}, not of {model}", ("model",))
    _check_epochs(document)
    signature = manifest_reading.read(
        {section: getattr(document, section) for section in manifest_text.SECTIONS},
        document.variables,
        framework=document.framework,
        holders=document.holders,
        aliases=document.aliases,
        inputs=document.inputs,
        outputs=document.outputs,
        takes=document.takes,
        sources=document.sources,
        load=document.load,
        eager=document.eager,
        looked_for=document.looked_for,
        folders=document.folders,
        opaque=document.opaque,
    )
    if document.stages is not None:
        signature = stages_text.read(document.stages, signature, data)
    return Manifest(
        document.model,
        document.restores,
        signature,
        document.epoch,
        document.history,
        document.pinned,
        document.loads,
    )


def _check_epochs(document: Document) -> None:
    """Each accepted break raises the epoch, and the last one is the manifest's own or before it."""
    last = len(document.history) - 1
    epochs = [1, *(entry.epoch for entry in document.history), document.epoch + 1]
    for number, (before, after) in enumerate(itertools.pairwise(epochs)):
        if not before < after:
            place = ("history", min(number, last)) if document.history else ("epoch",)
            raise Malformed("the epochs do not follow one another", place)
