"""Troubles grouped by root cause: a renamed layer is one cause, not four variables on two restore paths."""

from __future__ import annotations

from collections.abc import Hashable

from restore_guard.change.diffs import Place
from restore_guard.judging.comparison import Comparison, troubles
from restore_guard.rules import explaining
from restore_guard.rules.shared.cause import Cause
from restore_guard.rules.shared.view import Sight, View


def find(comparison: Comparison) -> list[Cause]:
    """Returns the causes of all troubles of a comparison, in the order of the variables."""
    found = troubles(comparison)
    if not found:
        return []
    view, rules = View(comparison), explaining()
    groups: dict[Hashable, Cause] = {}
    for trouble in found:
        sight = Sight(trouble, view)
        rule, subject = next((rule, subject) for rule in rules if (subject := rule.explains.applies(sight)) is not None)
        where, primary = rule.explains.stands(sight, subject)
        cause = groups.setdefault((rule.name, subject), Cause(rule.name, subject, where, primary))
        if primary and not cause.primary:
            cause.place, cause.primary = where, True
        cause.troubles.append(trouble)
    causes = list(groups.values())
    for rule in rules:
        causes = rule.explains.gathers(causes, view)
    return _fold(causes, not comparison.diff.is_empty)


def _fold(causes: list[Cause], lines_known: bool) -> list[Cause]:
    """A variable whose own line did not change caused nothing: it belongs to the nearest cause, if there is one.

    Where no lines are compared, each stands for itself.
    """
    primaries = [cause for cause in causes if cause.primary]
    if not primaries or not lines_known:
        twins: dict[tuple, Cause] = {}
        for cause in causes:
            first = twins.setdefault((cause.rule, cause.place), cause) if not cause.primary else cause
            if first is not cause:
                first.troubles.extend(cause.troubles)
        return primaries + list(twins.values())
    # There are as many causes as there are layers, but only as many places as there are lines.
    at: dict[Place | None, Cause] = {}
    for root in primaries:
        at.setdefault(root.place, root)
    nearest: dict[Place | None, Cause] = {}
    for cause in causes:
        if not cause.primary:
            if cause.place not in nearest:
                nearest[cause.place] = min(at.values(), key=lambda root: _distance(root, cause))
            nearest[cause.place].consequences.extend(cause.troubles)
    return primaries


def _distance(root: Cause, cause: Cause) -> tuple[bool, int]:
    if root.place is None or cause.place is None:
        return True, 0
    return root.place.file != cause.place.file, abs(root.place.line - cause.place.line)
