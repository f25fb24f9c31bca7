"""What even unchanged code does not restore to: told when a manifest is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from restore_guard import rules
from restore_guard.build import Build
from restore_guard.building import witnesses
from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.judging.case import promised
from restore_guard.judging.evidence import parameters
from restore_guard.promise.project import Project
from restore_guard.restore_paths import restore_unchanged
from restore_guard.restore_paths.outcome import gist
from restore_guard.result import Finding
from restore_guard.rules.shared.facts import Facts
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


def unlike(
    workshop: Workshop, project: Project, orders: Sequence[BuildOrder], built: Mapping[str, Build]
) -> dict[str, list[Finding]]:
    """{model: warnings of the promised paths by which every value arrives and the outputs are others}.

    Args:
        orders: the models to try.
        built: {model: its build}.
    """
    small = [order for order in orders if parameters(built[order.name].known_signature) <= project.config.witness]
    seen = witnesses.run(workshop, [_trial(project, order, built[order.name]) for order in small])
    return {
        name: rules.about(Facts(name, project.manifest_file(name), project.config, witness=witness))
        for name, witness in seen.items()
    }


def _trial(project: Project, order: BuildOrder, build: Build) -> witnesses.WitnessTrial:
    model = build.known_signature
    paths = promised(project.config, order.name, None, model)
    package = model.archive.package if model.archive else "keras"
    return witnesses.WitnessTrial(order.name, order, order, paths, package)
