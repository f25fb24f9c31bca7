"""What even unchanged code does not restore to: told when a manifest is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from restore_guard import rules
from restore_guard.build import Build, Witness
from restore_guard.building import witnesses
from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.judging.case import promised
from restore_guard.judging.evidence import is_graver, parameters, without
from restore_guard.promise.project import Project
from restore_guard.restore_paths import RESTORE_PATHS, restore_unchanged, reviving
from restore_guard.restore_paths.outcome import gist
from restore_guard.result import Finding
from restore_guard.rules.shared.facts import Facts
from restore_guard.rules.shared.words import listing
from restore_guard.signature import Signature


def unable(model: Signature, paths: Sequence[str]) -> list[str]:
    """A sentence for each restore path that cannot restore the model even where nothing has changed."""
    outcomes = ((path, restore_unchanged(path, model)) for path in paths)
    return [
        f"{path} is promised and cannot restore even the unchanged model ({gist(outcome.error or '')}): "
        "leave it out of `restores`, or mend what it says"
        for path, outcome in outcomes
        if outcome.kind == "unsupported"
    ]


class Tried(msgspec.Struct, frozen=True):
    """What really saving and restoring a model that has not changed showed.

    Attributes:
        findings: warnings of the promised paths by which every value arrives and the outputs are others.
        notes: what could not be tried, and what really restoring loses though it was not expected, in words.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def tried(
    workshop: Workshop, project: Project, orders: Sequence[BuildOrder], built: Mapping[str, Build]
) -> dict[str, Tried]:
    """{model: Tried} of all; of one that is too large to be tried that it is, unless `witness` is 0 for all.

    Args:
        orders: the models to try.
        built: {model: its build}.
    """
    limit = project.config.witness
    sizes = {order.name: parameters(built[order.name].known_signature) for order in orders}
    small = [order for order in orders if sizes[order.name] <= limit]
    seen = witnesses.run(workshop, [_trial(project, order, built[order.name]) for order in small])
    large = {name: Tried(notes=(too_large(size, limit),)) for name, size in sizes.items() if size > limit > 0}
    return large | {
        name: Tried(
            tuple(rules.about(Facts(name, project.manifest_file(name), project.config, witness=witness))),
            tuple(told(built[name].known_signature, witness)),
        )
        for name, witness in seen.items()
    }


def too_large(size: int, limit: int) -> str:
    """Why a model was not tried, and what that leaves open."""
    return (
        f"not really saved and restored: the model has {size} numbers, more than witness = {limit}. What its restore "
        "paths lose with unchanged code is simulated, and its outputs are not compared"
    )


def told(model: Signature, witness: Witness) -> Iterator[str]:
    """Why restore paths were not really tried, and what trying the others showed that was not expected, in words."""
    for failure in witness.failures:
        path, _, _ = failure.partition(":")
        if path in RESTORE_PATHS and restore_unchanged(path, model).kind == "unsupported":
            continue  # `unable` says it already
        yield f"not really saved and restored, so its outputs are not compared: {failure}"
    for path, found in witness.observations.items():
        left = reviving.not_wanted(model, model, path) if path in model.load.revives else ()
        seen = without(found, frozenset(), frozenset(left))
        if not is_graver(seen, restore_unchanged(path, model)):
            continue
        if seen.outcome == "raises":
            yield f"{path}: really restoring the unchanged model raises: {gist(seen.error or '')}"
        else:
            lost = (*seen.initial, *seen.changed_otherwise, *seen.unused)
            yield f"{path}: really restoring the unchanged model loses {listing(lost[:3])} ({len(lost)} values in all)"


def _trial(project: Project, order: BuildOrder, build: Build) -> witnesses.WitnessTrial:
    model = build.known_signature
    paths = promised(project.config, order.name, None, model)
    return witnesses.WitnessTrial(order.name, order, order, paths, model.package)
