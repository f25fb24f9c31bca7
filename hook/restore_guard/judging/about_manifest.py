"""What is said of the head's manifest."""

from __future__ import annotations

from collections.abc import Sequence

from restore_guard.judging.case import Case, promised, readable
from restore_guard.promise.manifest import Accepted, Manifest, ManifestError
from restore_guard.promise.pins import unpinned
from restore_guard.restore_paths import same_promise
from restore_guard.result import Finding
from restore_guard.rules import RULES, level
from restore_guard.signature import Signature


def accepted_breaks(case: Case) -> tuple[Accepted, ...]:
    head, base = readable(case.head_manifest), readable(case.base_manifest)
    if head is None or base is None:
        return ()
    return tuple(entry for entry in head.history if entry.epoch > base.epoch)


def break_accepted(case: Case, entry: Accepted) -> Finding:
    return Finding(
        rule="break-accepted",
        level=level("break-accepted", case.config),
        file=case.manifest_file,
        line=0,
        message=f"A break was accepted (epoch {entry.epoch}): {entry.reason}",
        restores=tuple(entry.broken),
        status="accepted",
    )


def manifest_state(case: Case, head: Signature) -> str:
    manifest = readable(case.head_manifest)
    if case.head_manifest is None:
        return "missing"
    return "stale" if manifest is None or _staleness(case, manifest, head) else "current"


def _staleness(case: Case, manifest: Manifest, head: Signature) -> str | None:
    """What a manifest of the head says otherwise than the head's build; None where it is current."""
    configured = promised(case.config, case.name, None, head)
    if not _describes(manifest, head, configured):
        return "The manifest does not describe the model that the code builds"
    if unnoticed := sorted(set(head.sources) - set(manifest.signature.sources) - case.covered):
        return f"The build also reads {', '.join(unnoticed[:3])}, which the manifest does not list"
    if _unpinned(case):
        return f"The manifest is no longer pinned to a checkpoint for {', '.join(_unpinned(case))}"
    if set(manifest.restores) != set(configured):
        return "The manifest promises other restore paths than the configuration"
    return None


def _describes(manifest: Manifest, head: Signature, paths: Sequence[str]) -> bool:
    """Whether a manifest is of this build; on a pinned path it is of a checkpoint, which only has to restore."""
    return same_promise(manifest.signature, head, unpinned(paths, manifest.pinned))


def _unpinned(case: Case) -> list[str]:
    """The pins of the base's manifest that the head's has lost with no accepted break to say so."""
    head, base = readable(case.head_manifest), readable(case.base_manifest)
    accepted = {path for entry in accepted_breaks(case) for path in entry.broken}
    return [path for path in (base.pinned if base else ()) if path not in head.pinned and path not in accepted]


def about_manifest(case: Case, head: Signature | None, state: str, breaks: bool) -> list[Finding]:
    if isinstance(case.head_manifest, ManifestError):
        error = case.head_manifest
        return [
            _manifest_finding(case, "manifest-invalid", f"The manifest cannot be read: {error.message}", error.line)
        ]
    if state == "missing":
        message = (
            f"{case.name} has no manifest: run `restore-guard update {case.name}` and commit {case.manifest_file}."
        )
        known = case.base_manifest is None and case.base_build is not None
        return [_manifest_finding(case, "manifest-missing", message, 0, "pre-existing" if known else "new")]
    if head is None or state != "stale" or breaks:
        # While something breaks, regenerating the manifest would be the wrong thing to do first.
        return []
    what = _staleness(case, readable(case.head_manifest), head)
    message = f"{what}: run `restore-guard update {case.name}` and commit {case.manifest_file}."
    return [_manifest_finding(case, "manifest-stale", message, 0)]


def _manifest_finding(case: Case, rule: str, message: str, line: int, status: str = "new") -> Finding:
    return Finding(
        rule=rule,
        level=level(rule, case.config),
        file=case.manifest_file,
        line=line,
        message=message,
        status=status,
        fix=RULES[rule].fix,
    )
