"""What rules say of a table, an iterator or Python state that refuses what old checkpoints hold under its name."""

from __future__ import annotations

from restore_guard.restore_paths.outcome import Refusal
from restore_guard.rules.shared.cause import Cause, Subject
from restore_guard.rules.shared.view import Sight


def subject(sight: Sight, what: str) -> Subject | None:
    """The old and the new name of what refuses for this reason."""
    refusal = sight.trouble.refusal
    return (sight.trouble.old, sight.trouble.new) if refusal is not None and refusal.what == what else None


def refusals(cause: Cause) -> dict[str, Refusal]:
    """{name: why it refuses}; empty where a cause is of variables."""
    return {trouble.name: trouble.refusal for trouble in cause.troubles if trouble.refusal is not None}


def says(cause: Cause) -> str:
    """What refuses, and why."""
    found = refusals(cause)
    changed = (
        f"{name} is {one.now}, of which old checkpoints hold nothing"
        if one.what == "added"
        else f"{name} was {one.was} and is now {one.now}"
        for name, one in found.items()
    )
    return f"{'; '.join(changed)}. Loading raises over it: an old checkpoint has nothing that fits."


def ends(cause: Cause) -> Subject:
    """The first of them on either side."""
    name, refusal = next(iter(refusals(cause).items()))
    return None if refusal.what == "added" else f"{name}: {refusal.was}", f"{name}: {refusal.now}"


def advice(cause: Cause) -> str:
    """How to keep old checkpoints loadable."""
    if {one.what for one in refusals(cause).values()} == {"added"}:
        return (
            "Keep the Saver to what old checkpoints hold (its `var_list`), or make the table without a checkpoint of "
            "its own and fill it in the code; or accept the break."
        )
    return (
        "Keep it as it was, or give what is new a name of its own, which old checkpoints do not fill; or accept the "
        "break."
    )
