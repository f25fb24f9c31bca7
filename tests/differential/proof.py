"""The proof's parts, each a number of pairs for some frameworks; used by the tests and by scripts/differential."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from differential import builtins, migrations, real_models, roles, search
from differential.frameworks import Fault, Judged, Oracle, judge_all, judge_one
from differential.models import render
from differential.records import Records
from differential.table import Table
from restore_guard.build import Job, Observation, Rivals, Witness
from restore_guard.building import probing
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.config import Config
from restore_guard.judging import findings
from restore_guard.judging.comparison import compare
from restore_guard.judging.evidence import outranked
from restore_guard.judging.rivals import rivals

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
# By which a layer without an error may get what belongs to another one.
_SILENT = ("tf-checkpoint", "keras-weights", "h5", "h5-by-name")

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
    cross(table, oracles, pairs, [(name, name) for name in oracles])


def cross(
    table: Table,
    oracles: Oracles,
    pairs: Pairs,
    crossings: Iterable[tuple[str, str]],
    hear: Callable[[str, str, str, Judged | Fault], None] = lambda *_: None,
) -> None:
    """Saves each pair's base by one framework, once, and restores it by others, or by the same one.

    Args:
        hear: called with the pair, what saved, what restored and what was seen.
    """
    restorers: dict[str, list[Oracle]] = {}
    for one, other in crossings:
        restorers.setdefault(one, []).append(oracles[other])
    work = {
        (name, one): (oracles[one], others, *pair) for name, pair in pairs.items() for one, others in restorers.items()
    }
    for (name, one), other, judged in judge_all(work):
        table.add(" → ".join(oracles[each].framework.title for each in dict.fromkeys((one, other))), name, judged)
        hear(name, one, other, judged)


def judge_corpus(
    table: Table, oracles: Oracles, records: Mapping[str, Records], crossings: Sequence[tuple[str, str]] = CROSSINGS
) -> None:
    """Judges the whole corpus, crossed too, and writes down what the frameworks of `records` did."""
    pairs = corpus()
    seen: dict[str, dict[str, Judged]] = {name: {} for name in records}

    def hear(name: str, saver: str, restorer: str, judged: Judged | Fault) -> None:
        if saver == restorer and saver in seen and isinstance(judged, Judged):
            seen[saver][name] = judged

    cross(table, oracles, pairs, [*((name, name) for name in oracles), *crossings], hear)
    for framework, kept in records.items():
        kept.write(pairs, seen[framework])


def libraries(table: Table, oracles: Oracles, folder: Path, **names: tuple[str, ...]) -> None:
    """Judges the models of keras.applications, and where they are installed those of keras-hub and Sonnet."""
    if "keras3" in oracles:
        run(table, {"keras3": oracles["keras3"]}, real_models.libraries(folder, **names))
    for name, pair in real_models.applications(folder, **names).items():
        run(table, oracles, {name: pair})


def built_in(table: Table, oracles: Oracles, folder: Path, *, every=1) -> None:
    """Judges all layers and optimizers of Keras, or one pair out of `every`."""
    pairs = builtins.pairs(folder)
    run(table, oracles, {name: pairs[name] for name in list(pairs)[::every]})


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
    failed = []

    def agrees(pair):
        # What failed must fail again, or hypothesis takes it for chance.
        if until is not None and time.monotonic() > until and not failed:
            return
        base, head, mutations = pair
        texts = {"base": render(base), "head": render(head)}
        for side, text in texts.items():
            (folder / f"{side}.py").write_text(text)
        found = Table()
        run(found, oracles, {", ".join(mutations) or "unchanged": (folder / "base.py", folder / "head.py")})
        if found.disagreements:
            failed.append(pair)
            shown = (f"# {side}.py\n{text}" for side, text in texts.items())
            raise DisagreementError("\n".join([*found.disagreements, *shown]))
        table.include(found)

    _draw(search.pairs(), agrees, seeded, examples)


def migrated(
    count: migrations.Count,
    oracles: Oracles,
    folder: Path,
    routes: Sequence[tuple[str, str]],
    *,
    seeded: int | None = None,
    until: float | None = None,
    examples=_EXAMPLES,
) -> None:
    """Carries checkpoints of drawn pairs across: of any models, and of those in which every value has a role."""

    def carried(pair):
        known = isinstance(pair, roles.Pair)
        base, head = (pair.base, pair.head) if known else map(render, pair[:2])
        if (until is not None and time.monotonic() > until) or base == head or (base, head) in count.pairs:
            return
        count.pairs.add((base, head))
        files = folder / "base.py", folder / "head.py"
        for file, text in zip(files, (base, head), strict=True):
            file.write_text(text)
        found = migrations.Count()
        migrations.carry(found, oracles, routes, files, migrations.by_role(pair) if known else None)
        if found.wrong:
            found.wrong.append(f"# base.py\n{base}\n# head.py\n{head}")
        count.include(found)

    for pairs in (roles.pairs(), search.pairs()):
        _draw(pairs, carried, seeded, examples)


def _draw(pairs: SearchStrategy, holds: Callable, seeded: int | None, examples: int) -> None:
    """Tries what must hold on drawn pairs: always the same ones, or others by a seed; raises for the smallest."""
    drawing = settings(
        derandomize=seeded is None,
        max_examples=examples,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    tried = drawing(given(pairs)(holds))
    (tried if seeded is None else seed(seeded)(tried))()


def in_their_roles(
    oracle: Oracle, probe: probing.Probe, folder: Path, *, seeded: int | None = None, examples=_EXAMPLES
):
    """Draws pairs in which each value's rightful place is known; every value that lands elsewhere must be told.

    Args:
        probe: a warm Python of the oracle's framework, which tells lines of source as well.

    Raises:
        DisagreementError: with the smallest pair where a value in another place is not told, or one in its own is.
    """

    def told(pair):
        wrong = list(_untold(oracle, probe, folder, pair))
        if wrong:
            raise DisagreementError("\n".join([*wrong, "# base.py", pair.base, "# head.py", pair.head]))

    _draw(roles.pairs(), told, seeded, examples)


def _untold(oracle: Oracle, probe: probing.Probe, folder: Path, pair: roles.Pair) -> Iterator[str]:
    files = {"base": folder / "base.py", "head": folder / "head.py"}
    for side, file in files.items():
        file.write_text(getattr(pair, side))
    truth = judge_one(oracle, *files.values(), paths=_SILENT).truth
    built = probe.run([Job(side, folder, f"{side}:build") for side in files])
    saved, model = built["base"].signature, built["head"].signature
    olds = {variable.path: roles.role(variable, pair.base) for variable in saved.variables}
    news = {variable.path: roles.role(variable, pair.head) for variable in model.variables}
    diff = Diff({"base.py": FileDiff("head.py", pair.base, pair.head)})
    (compared,) = compare(saved, model, _SILENT, diff)
    compared, _ = outranked(compared, _witness(probe, folder, rivals(saved, model, diff)))
    context = findings.Context("pair", "restore-manifest/pair.json", Config())
    found = findings.findings_of([compared], context)
    broken = {path for finding in found if finding.fails for path in finding.restores}
    for path, seen in truth.items():
        if seen["outcome"] not in ("restores", "partial"):
            continue
        really, said = roles.misplaced(seen["assigned"], news, olds), compared.misplaced(path)
        if not said.items() <= really.items():
            yield f"{path}: {said} is told to be misplaced, really only {really} is"
        if really and path not in broken:
            yield f"{path}: {really} is misplaced, and nothing is told"


def _witness(probe: probing.Probe, folder: Path, found: Rivals) -> Witness:
    """What a check sees that really saves and restores."""
    with tempfile.TemporaryDirectory() as kept:
        saving = Job("save", folder, "base:build", task="save", options={"folder": kept, "paths": _SILENT})
        saved = probe.run([saving])["save"].data["saved"]
        files = {path: one["file"] for path, one in saved.items() if one["file"]}
        options = {"folder": kept, "files": files, "package": "keras", "rivals": msgspec.structs.asdict(found)}
        restoring = Job("restore", folder, "head:build", task="restore", options=options)
        seen = probe.run([restoring])["restore"].data["restored"]
    return Witness({path: msgspec.convert(seen[path], Observation) for path in seen})
