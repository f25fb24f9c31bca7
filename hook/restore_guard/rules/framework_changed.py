"""framework-changed: base and head are for other versions of TensorFlow or Keras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from restore_guard.change.diffs import Place
from restore_guard.change.environment_files import is_framework
from restore_guard.change.pins_moved import Move
from restore_guard.rules.shared import words
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told
from restore_guard.signature import Signature

_SEPARATE = 'Set environment = "auto" to build each side in the environment of its own lock file.'


def about(facts: Facts) -> Iterator[Told]:
    """Judged only where each side has its own environment."""
    if facts.head is None:
        return
    moved = [move for move in facts.moves if is_framework(move.package)]
    if facts.apart:
        message = _judged(facts.base or facts.head, facts.head)
    else:
        is_set = facts.config.environment == "auto"
        message = _unjudged(facts.head, moved, facts.why_shared or ("" if is_set else _SEPARATE))
    if message:
        at = moved[0] if moved else None
        yield Told(
            message,
            Place(at.file, at.line) if at is not None else None,
            old=", ".join(f"{move.package} {move.old}" for move in moved) or None,
            new=", ".join(f"{move.package} {move.new}" for move in moved) or None,
            unchecked=not facts.apart,
        )


def _unjudged(head: Signature, moved: Sequence[Move], why: str) -> str:
    built = ", ".join(f"{name} {version}" for name, version in head.framework.items() if name != "python")
    told = ", ".join(map(str, moved))
    said = f"{told}: what this does to checkpoints was not judged, as both sides were built by {built}. {why}"
    return told and said.rstrip()


def _judged(base: Signature, head: Signature) -> str:
    before, after = base.framework, head.framework
    differing = [name for name in after if before.get(name) != after[name] and name != "python"]
    told = ", ".join(f"{name} {before.get(name, '(none)')} → {after[name]}" for name in differing)
    return told and f"{told}: each side was built, saved and restored by its own; the outcomes say what follows."


RULE = Rule(
    "framework-changed",
    meaning="Base and head are built by other versions of TensorFlow or Keras.",
    why="The same code restores differently: Keras 3 renamed the edges of most layers' kernels.",
    example=Example("compatible/comment-only", before="tensorflow==2.15.1", after="tensorflow==2.21.0", crossed=True),
    fix=f"Save by another restore path with the old version, or {words.CARRY}; or accept the break.",
    level="warning",
    about=about,
)
