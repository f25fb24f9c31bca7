"""What is said of the head's manifest."""

from __future__ import annotations

from collections.abc import Sequence

from restore_guard.change import traced
from restore_guard.judging.case import Case, promised, readable
from restore_guard.promise.manifest import Accepted, Manifest, ManifestError, since
from restore_guard.promise.pins import unpinned
from restore_guard.restore_paths import same_promise
from restore_guard.result import ManifestState
from restore_guard.rules.inputs_changed import differences
from restore_guard.rules.shared.facts import Epoch, Facts, Unreadable
from restore_guard.signature import Signature


def accepted_breaks(case: Case) -> tuple[Accepted, ...]:
    head, base = readable(case.head_manifest), readable(case.base_manifest)
    if head is None or base is None:
        return ()
    return since(base, head.history)


def manifest_state(case: Case, head: Signature) -> ManifestState:
    manifest = readable(case.head_manifest)
    if case.head_manifest is None:
        return "missing"
    return "stale" if manifest is None or _staleness(case, manifest, head) else "current"


def _staleness(case: Case, manifest: Manifest, head: Signature) -> str | None:
    """What a manifest of the head says otherwise than the head's build; None where it is current."""
    configured = promised(case.config, case.name, None, head)
    if not _describes(manifest, head, configured):
        return "The manifest does not describe the model that the code builds"
    if differences(manifest.signature.takes, head.takes):
        return "The manifest describes other inputs than those that the model takes"
    model = case.config.models.get(case.name)
    if unnoticed := traced.unnoticed(head, manifest.signature, case.covered, model.paths if model else ()):
        return f"The build also {unnoticed}, which the manifest does not list"
    if lost := _unpinned(case, manifest):
        return f"The manifest is no longer pinned to a checkpoint for {', '.join(lost)}"
    if set(manifest.restores) != set(configured):
        return "The manifest promises other restore paths than the configuration"
    return None


def _describes(manifest: Manifest, head: Signature, paths: Sequence[str]) -> bool:
    """Whether a manifest is of this build; on a pinned path it is of a checkpoint, which only has to restore."""
    return same_promise(manifest.signature, head, unpinned(paths, manifest.pinned))


def _unpinned(case: Case, head: Manifest) -> list[str]:
    """The pins of the base's manifest that the head's has lost with no accepted break to say so."""
    base = readable(case.base_manifest)
    accepted = {path for entry in accepted_breaks(case) for path in entry.broken}
    return [path for path in (base.pinned if base else ()) if path not in head.pinned and path not in accepted]


def about_manifest(case: Case, head: Signature | None, breaks: bool) -> Facts:
    """What is wrong with the head's manifest, and which breaks it accepts.

    Args:
        head: None where the head could not be built.
        breaks: whether something was found that fails the check.
    """
    found = case.head_manifest
    current, accepted = readable(found), accepted_breaks(case) if head is not None else ()
    return Facts(
        case.name,
        case.manifest_file,
        case.config,
        unreadable=Unreadable(found.message, found.line) if isinstance(found, ManifestError) else None,
        missing=found is None,
        known=case.base_manifest is None and case.base_build is not None,
        stale=_staleness(case, current, head) if current is not None and head is not None else None,
        broken=breaks,
        accepted=[Epoch(entry.epoch, entry.reason, tuple(entry.broken)) for entry in accepted],
    )
