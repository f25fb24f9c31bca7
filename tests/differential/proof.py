"""The proof's parts, each a number of pairs for some frameworks; used by the tests and by scripts/differential."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from differential import real_models, search
from differential.frameworks import FRAMEWORKS, Oracle, judge_all
from differential.models import render
from differential.table import Table

CORPUS = Path(__file__).resolve().parents[1] / "pairs"
# Saved by the one, restored by the other.
CROSSINGS = (
    ("keras2", "keras3"),
    ("keras2", "keras36"),
    ("keras2", "tf_keras"),
    ("tf_keras", "keras3"),
    ("keras36", "keras3"),
    ("keras3", "keras36"),
)
_EXAMPLES = 100

Oracles = Mapping[str, Oracle]
Pairs = Mapping[str, tuple[Path, Path]]


class DisagreementError(Exception):
    """The simulation is wrong about a pair; the text holds the pair, ready to be copied into tests/pairs."""


def corpus() -> Pairs:
    """The hand-written pairs."""
    names = sorted(path.parent for path in CORPUS.glob("*/*/base.py"))
    return {str(path.relative_to(CORPUS)): (path / "base.py", path / "head.py") for path in names}


def run(table: Table, oracles: Oracles, pairs: Pairs) -> None:
    """Judges pairs on every framework."""
    work = {(name, oracle): (oracle, oracle, *pair) for name, pair in pairs.items() for oracle in oracles.values()}
    for (name, oracle), judged in judge_all(work).items():
        table.add(FRAMEWORKS[oracle.name].title, name, judged)


def cross(table: Table, oracles: Oracles, pairs: Pairs, crossings=CROSSINGS) -> None:
    """Saves each pair's base by one framework, and restores it by another one."""
    work = {
        (name, one, other): (oracles[one], oracles[other], *pair)
        for name, pair in pairs.items()
        for one, other in crossings
        if one in oracles and other in oracles
    }
    for (name, one, other), judged in judge_all(work).items():
        table.add(f"{FRAMEWORKS[one].title} → {FRAMEWORKS[other].title}", name, judged)


def libraries(table: Table, oracles: Oracles, folder: Path, **names: tuple[str, ...]) -> None:
    """Judges the models of keras.applications, and where they are installed those of keras-hub and Sonnet."""
    run(table, oracles, real_models.applications(folder, **names))
    if "keras3" in oracles:
        run(table, {"keras3": oracles["keras3"]}, real_models.libraries(folder, **names))


def drawn(
    table: Table,
    oracles: Oracles,
    folder: Path,
    *,
    seeded: int | None = None,
    until: float | None = None,
    examples=_EXAMPLES,
) -> None:
    """Judges pairs that hypothesis draws: always the same ones, or others by a seed until a point in time.

    Raises:
        DisagreementError: with the smallest pair that hypothesis finds.
    """

    @settings(
        derandomize=seeded is None,
        max_examples=examples,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(search.pairs())
    def agrees(pair):
        if until is not None and time.monotonic() > until:
            return
        base, head, mutations = pair
        texts = {"base": render(base), "head": render(head)}
        for side, text in texts.items():
            (folder / f"{side}.py").write_text(text)
        found = Table()
        run(found, oracles, {", ".join(mutations) or "unchanged": (folder / "base.py", folder / "head.py")})
        if found.disagreements:
            shown = (f"# {side}.py\n{text}" for side, text in texts.items())
            raise DisagreementError("\n".join([*found.disagreements, *shown]))
        table.include(found)

    (agrees if seeded is None else seed(seeded)(agrees))()
