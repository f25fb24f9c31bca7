"""One line that several models are made of is one cause: told once, with the models that share it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from restore_guard.reports import wording
from restore_guard.result import Finding, ModelResult

MOST = 4
"""More models in a sentence are counted."""
LISTED = 20
"""More models are not listed in a fold-out."""
SHORT = 300
"""Characters of what is said of each there."""


Groups = dict[tuple[object, ...], list[tuple[ModelResult, Finding]]]


class Told(NamedTuple):
    """A finding as it is told.

    Attributes:
        others: the models with the same cause, each with its own finding.
    """

    model: ModelResult
    finding: Finding
    others: tuple[tuple[ModelResult, Finding], ...] = ()


def fold_out(told: Told) -> tuple[str, list[tuple[str, str]]]:
    """(what it is about, [(another model, what its finding says)]), for a page; the first of very many."""
    said = [(other.name, wording.plain(its.message, SHORT)) for other, its in told.others[:LISTED]]
    return f"The same in {wording.counted(len(told.others), 'other model')}", said


def grouped(models: Iterable[ModelResult]) -> list[Told]:
    """All findings in the order of `wording.ranked`, one for each cause; its command is for all of its models."""
    groups: Groups = {}
    for number, (model, finding) in enumerate(wording.ranked(models)):
        groups.setdefault(_cause(model, finding, number, groups), []).append((model, finding))
    return [_told(*pairs) for pairs in groups.values()]


def _cause(model: ModelResult, finding: Finding, number: int, groups: Groups) -> tuple[object, ...]:
    """What findings of one cause have in common; two of one model are two."""
    # What an environment lacks is one cause, wherever each model asks for it; so is a set-up that is not done, as in
    # commits from before the configuration.
    lacking = finding.rule in ("build-failed", "manifest-missing")
    where = {"build-failed": (finding.message,), "manifest-missing": ()}.get(finding.rule, (finding.file, finding.line))
    shared = (finding.rule, finding.level, finding.status, *where)
    own = (finding.line < 1 and not lacking) or any(other.name == model.name for other, _ in groups.get(shared, ()))
    return (number,) if own else shared


def _told(first: tuple[ModelResult, Finding], *others: tuple[ModelResult, Finding]) -> Told:
    model, finding = first
    if not others:
        return Told(model, finding)
    names = wording.listed([other.name for other, _ in others], MOST)
    message = f"{finding.message} The same in {wording.counted(len(others), 'other model')}: {names}."
    accept = finding.accept
    if accept:
        accept = accept.replace(
            f" {model.name} ", f" {' '.join([model.name, *(other.name for other, _ in others)])} ", 1
        )
    return Told(model, msgspec.structs.replace(finding, message=message, accept=accept), others)
