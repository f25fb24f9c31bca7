"""What a rule is: everything that `explain` prints, and the level that a configuration may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Rule:
    """A kind of finding.

    Attributes:
        meaning: what it says about old checkpoints, one sentence.
        why: what goes wrong in production where nobody looks.
        before, after: the smallest code change that causes it.
        effects: what each restore path does with that change.
        fix: how to keep old checkpoints restorable, or what to do.
        level: the default level.
    """

    name: str
    meaning: str
    why: str
    before: str
    after: str
    effects: str
    fix: str
    level: Literal["error", "warning"] = "error"
