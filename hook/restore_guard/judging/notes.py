"""What a report tells of a verdict's builds: nothing of it decides. Pure."""

from __future__ import annotations

import re

from restore_guard.change.environment_files import is_framework
from restore_guard.judging.case import Case, readable
from restore_guard.promise.manifest import ManifestError
from restore_guard.rules import build_failed
from restore_guard.signature import Signature


def of_builds(case: Case) -> list[str]:
    """How the sides were built, and what the verdict goes by."""
    notes = []
    if case.head_build.strategy == "eager":
        why = (case.head_build.because or "it cannot do without").splitlines()[0]
        notes.append(f"Built with all its weights in memory, because a build without them failed: {why}")
    if case.base_build is not None and case.base_build.signature is None:
        judged = "its manifest" if readable(case.base_manifest) else "nothing"
        failure = case.base_build.failure or ""
        said = (
            f"The base no longer builds, so it is judged by {judged}: {failure}{'' if failure.endswith('.') else '.'}"
        )
        notes.append(" ".join(filter(None, [said, build_failed.advice(failure)])))
    if isinstance(case.base_manifest, ManifestError):
        notes.append(f"The base's manifest cannot be read, so the base's build stands in for it: {case.base_manifest}")
    elif case.base_manifest is None and case.base_build is not None:
        notes.append("The base has no manifest, so its build stands in for it.")
    promise = readable(case.base_manifest)
    if promise is not None:
        notes += [f"{path}: judged by {name}, which the manifest pins." for path, name in promise.pinned.items()]
    return notes


def other_moves(case: Case) -> list[str]:
    """Which packages the change moves beside TensorFlow and Keras, by which nothing was judged."""
    others = [str(move) for move in case.moves if not is_framework(move.package)]
    if not others or case.apart:
        return []
    shown = ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
    return [f"Built with the packages that are installed now: what {shown} changes was not judged."]


def installed_otherwise(case: Case, head: Signature) -> list[str]:
    """Where the head was built by another TensorFlow or Keras than its own files ask for."""
    if case.apart:
        return []
    # tensorflow-cpu and the like are other builds of tensorflow.
    wanted = {re.sub(r"^tensorflow-(cpu|gpu|macos|intel)$", "tensorflow", name): of for name, of in case.asked.items()}
    return [
        f"Built by {name} {installed}, which is installed, where the files of the change ask for {wanted[name]}."
        for name, installed in head.framework.items()
        if name in wanted and wanted[name] != installed
    ]
