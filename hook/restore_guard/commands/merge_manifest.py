"""The merge driver: git calls it with three versions of a manifest, and takes what it leaves in the second.

The code is not merged yet at that moment, so nothing is built: the entries of both sides are put together, and the
result must keep what both sides promised. Where that is not certain git leaves a conflict, which `update` solves once
the code is merged. `check` shows whether the merged code builds what was written here.
"""

from __future__ import annotations

from pathlib import Path

from restore_guard.change.repository import Repository
from restore_guard.commands.settling import Promises, settle
from restore_guard.config import Config, Model
from restore_guard.errors import UsageError
from restore_guard.promise import manifest
from restore_guard.promise.manifest import Manifest, ManifestError
from restore_guard.promise.merging import MergeConflict, merged


def merge_manifest(base: Path, ours: Path, theirs: Path, file: str) -> str | None:
    """Writes the merged manifest over `ours`; returns why it could not, with a conflict marked there instead.

    Args:
        file: its path, for messages.

    Raises:
        UsageError: a version cannot be read or written.
    """
    try:
        before, mine, other = (path.read_bytes() for path in (base, ours, theirs))
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from error
    try:
        joined = merged(before, mine, other, file)
        problem = _broken(joined, *(manifest.parse(content, file) for content in (before, mine, other)))
    except (ManifestError, MergeConflict) as error:
        problem = str(error).rstrip(".")
    if problem is None:
        manifest.write(ours, joined)
    else:
        ours.write_bytes(_marked(base, ours, theirs))
    return problem


def _broken(joined: Manifest, base: Manifest, ours: Manifest, theirs: Manifest) -> str | None:
    """What both sides together break, in a sentence."""
    promises = Promises(ours, theirs=theirs, ancestor=base)
    promised = Config(models={joined.model: Model("", restores=joined.restores)})  # type: ignore[arg-type]
    settled = settle(promised, joined.model, joined.model, promises, None, joined.signature)
    return settled.breaks[0].message if settled.history is None else None


def _marked(base: Path, ours: Path, theirs: Path) -> bytes:
    """The text that git would leave."""
    labels = ("-L", "ours", "-L", "base", "-L", "theirs")
    with Repository(".") as repository:
        done = repository.ask("merge-file", "-p", *labels, *(str(path.resolve()) for path in (ours, base, theirs)))
    return done.output
