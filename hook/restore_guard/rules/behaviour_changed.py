"""behaviour-changed: every value arrives, and the model computes something else."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping

from restore_guard.build import Observation, Witness
from restore_guard.change.diffs import Place
from restore_guard.rules.inputs_changed import differences
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.rule import Example, Rule, Told
from restore_guard.rules.shared.words import listing

_DERIVED = "something that is computed from variables is not computed anew when they are restored"
_RENEW = (
    "Compute it anew after restoring (Normalization: finalize_state()), or in call, or load by a restore path that "
    "does it."
)


def about(facts: Facts) -> Iterator[Told]:
    """Only a witness shows it; a path on which values are lost or misplaced has other outputs for that reason."""
    if facts.witness is None:
        return
    yield from _refused(facts, facts.witness)
    others = {
        path: seen
        for path, seen in facts.witness.differing().items()
        if path not in facts.explained and not seen.exchanged
    }
    known = {path: seen for path, seen in others.items() if facts.comparison is None or facts.witness.differed(path)}
    news = {path: seen for path, seen in others.items() if path not in known}
    if news:
        described = facts.comparison.model.load.revives if facts.comparison is not None else ()
        yield _changed(news, facts.witness.alike(), described, facts.nearest_change())
    if known:
        yield Told(
            f"By {listing(known)} every value arrives, and the outputs {_by(known)}, with unchanged code as well: "
            f"{_DERIVED}.",
            restores=tuple(known),
            status="pre-existing" if facts.comparison is not None else "new",
            fix=_RENEW,
        )


def _refused(facts: Facts, witness: Witness) -> Iterator[Told]:
    """A model that raises from what the old one computed with; where it takes other inputs, that is what is told."""
    refusing = {path: seen for path, seen in witness.refusing().items() if path not in facts.explained}
    if not refusing or facts.comparison is None or differences(facts.promised, facts.comparison.model.takes):
        return
    said = next(iter(refusing.values())).refusal
    yield Told(
        f"Everything restores, but called with inputs from which the old model computed something, it raises: {said}",
        facts.nearest_change(),
        restores=tuple(refusing),
        fix="Let it take what it took, or change the callers with it.",
    )


def _changed(
    seen: Mapping[str, Observation], alike: list[str], described: Collection[str], where: Place | None
) -> Told:
    """What is new; of a model that is made as its file describes it, equal outputs tell nothing of the code."""
    loaded = [path for path in alike if path not in described]
    if loaded:
        message = (
            f"By {listing(seen)} every value arrives, but from the same inputs the outputs {_by(seen)}; by "
            f"{listing(loaded)} they are the same: {_DERIVED}."
        )
        return Told(message, where, restores=tuple(seen), fix=_RENEW)
    message = f"Everything restores, but from the same inputs and the same values the outputs {_by(seen)}."
    if alike:
        message += f" By {listing(alike)} they are the same: the file describes the model as it was, and so it is made."
    return Told(message, where, restores=tuple(seen) if alike else ())


def _by(seen: Mapping[str, Observation]) -> str:
    largest = max(one.behaviour.max_difference for one in seen.values() if one.behaviour is not None)
    return f"differ by up to {largest:.3g}" if largest < sys.float_info.max else "have another form"


RULE = Rule(
    "behaviour-changed",
    meaning="Everything restores, and the model computes something else from the same inputs.",
    why="Old weights were trained for the old computation.",
    example=Example("behaviour-changed/scaled-activation"),
    fix="Retrain, or keep the old computation.",
    level="warning",
    about=about,
)
