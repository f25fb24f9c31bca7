"""The verdicts on the models that a change may have touched: built on both sides, compared, judged.

What judges is imported while the Pythons that build tell what they have installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from restore_guard.building import pythons
from restore_guard.building.workshop import BuildOrder, Workshop
from restore_guard.change.run import Run
from restore_guard.commands.suspects import Suspects
from restore_guard.config import WitnessMode
from restore_guard.result import ModelResult

if TYPE_CHECKING:
    from restore_guard.commands.cases import Cases


def judge_suspects(run: Run, suspects: Suspects, witness: WitnessMode) -> list[ModelResult]:
    """Builds both sides of the models, asks what only TensorFlow knows, and judges; errors as `known_cases`."""
    with Workshop(run, carry=suspects.projects.head.config.carry) as workshop:
        cases, orders = _known_cases(run, suspects, witness, workshop)
        from restore_guard.commands import repairing
        from restore_guard.judging import judge

        about = suspects.projects, suspects.changes
        return [
            repairing.with_suggestions(*about, case, judge.judge(case), orders, workshop) for case in cases.values()
        ]


def known_cases(run: Run, suspects: Suspects, witness: WitnessMode) -> Cases:
    """All that builds of both sides, and real checkpoints, show of the models.

    Raises:
        UncheckedError: no Python to build with, or git cannot write a side's files.
    """
    with Workshop(run, carry=suspects.projects.head.config.carry) as workshop:
        return _known_cases(run, suspects, witness, workshop)[0]


def _known_cases(
    run: Run, suspects: Suspects, witness: WitnessMode, workshop: Workshop
) -> tuple[Cases, dict[str, BuildOrder]]:
    """The cases, and the builds of either side."""
    projects = suspects.projects
    sides = [project.side for project in projects.known]
    builders = pythons.of_change(run, projects.head.config, sides, suspects.moves_of(suspects.names))
    workshop.ask_ahead(builders.of.values())
    from restore_guard.commands.cases import cases_by

    return cases_by(run, suspects, builders, witness, workshop)
