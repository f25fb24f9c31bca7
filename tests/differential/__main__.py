"""The whole proof: the corpus, drawn pairs, what Keras has, crossed versions, libraries, misplaced values.

A disagreement is printed as a pair that can be copied into tests/pairs; the exit code is 1 then. An interruption ends
it with what has been seen so far, and 130.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from differential import examples, migrations, proof, versions
from differential.frameworks import FRAMEWORKS, Fault, Oracle
from differential.records import RECORDED, Records
from differential.table import Table
from restore_guard.building import probing

_AT_A_TIME = 10
"""So many pairs of either kind are drawn by one seed where checkpoints are migrated."""


def main() -> int:
    options = _parse()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is started deaf to it
    if options.versions:
        return _versions(options)
    table, begin, code = Table(), time.monotonic(), 0
    if options.migrations:
        return _migrations(options, begin)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        oracles = {name: _oracle(stack, folder, name) for name in (RECORDED if options.records else FRAMEWORKS)}
        for title, part in _parts(table, oracles, folder, options):
            _say(begin, title)
            try:
                part()
            except (proof.DisagreementError, Fault) as error:
                table.disagreements.append(str(error))
            except KeyboardInterrupt:
                _say(begin, "interrupted: what follows was not looked at")
                code = 130
                break
    return _told(table, begin, options) or code


def _told(table: Table, begin: float, options: argparse.Namespace) -> int:
    if options.table:
        print(*table.markdown(), sep="\n")
    for sentence in table.disagreements:
        print(f"\nDISAGREEMENT: {sentence}")
    for row, faults in table.faults.items():
        _say(begin, f"{row}: {len(faults)} pairs that it cannot build: {'; '.join(sorted(faults)[:5])}")
    _say(begin, "the end")
    return 1 if table.disagreements else 0


def _migrations(options: argparse.Namespace, begin: float) -> int:
    count, code, seed = migrations.Count(), 0, options.seed
    routes = [*((name, name) for name in FRAMEWORKS), *proof.CROSSINGS]
    until = begin + 60 * options.minutes
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        oracles = {name: _oracle(stack, folder, name) for name in FRAMEWORKS}
        try:
            while time.monotonic() < until:
                done = f"{len(count.pairs)} pairs, {count.all['pairs × paths']} pairs × paths so far"
                _say(begin, f"pairs that hypothesis draws, migrated, seed {seed}; {done}")
                proof.migrated(count, oracles, folder, routes, seeded=seed, until=until, examples=_AT_A_TIME)
                seed += 1
        except KeyboardInterrupt:
            _say(begin, "interrupted: what follows was not looked at")
            code = 130
    print(f"{len(count.pairs)} pairs", *count.markdown(), sep="\n")
    for sentence in count.wrong:
        print(f"\nWRONG: {sentence}")
    _say(begin, f"refused: {dict(count.refusals)}")
    return 1 if count.wrong else code or (0 if count.all["carried"] else 3)


def _versions(options: argparse.Namespace) -> int:
    table, begin = Table(), time.monotonic()
    try:
        versions.run(table, os.environ["RESTORE_GUARD_TEST_UV"], every=options.every, only=options.only)
    except KeyboardInterrupt:
        _say(begin, "interrupted: what follows was not looked at")
        return _told(table, begin, options) or 130
    return _told(table, begin, options)


def _parts(
    table: Table, oracles: proof.Oracles, folder: Path, options: argparse.Namespace
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The parts of the proof, what costs least for what it shows first."""
    kept = {name: Records(name, Path(_python(name))) for name in RECORDED}
    title = f"the corpus: {len(proof.corpus())} pairs on {len(oracles)} frameworks"
    if options.records:
        yield title, partial(proof.judge_corpus, table, oracles, kept, ())
        return
    yield f"{title}, and saved by one and restored by another", partial(proof.judge_corpus, table, oracles, kept)
    yield f"the examples of the rules, for `explain`: {examples.FILE}", partial(examples.write, oracles)
    until, seed = time.monotonic() + 60 * options.minutes, options.seed
    while time.monotonic() < until:
        draw = partial(proof.drawn, table, oracles, folder, seeded=seed, until=until)
        yield f"pairs that hypothesis draws, seed {seed}", draw
        seed += 1
    yield (
        "models of keras.applications, keras-hub and Sonnet",
        partial(proof.libraries, table, oracles, folder),
    )
    yield "layers and optimizers of Keras", partial(proof.built_in, table, oracles, folder)
    for name in ("keras3", "keras2"):
        yield f"values that another variable gets, {FRAMEWORKS[name].title}", partial(_roles, oracles[name], folder)


def _roles(oracle: Oracle, folder: Path) -> None:
    with probing.Probe(Path(_python(oracle.name))) as probe:
        proof.in_their_roles(oracle, probe, folder, seeded=1)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/differential", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="how long hypothesis draws pairs (default: 5)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(1_000_000), help="of the first hundred pairs that are drawn"
    )
    parser.add_argument("--table", action="store_true", help="print the results as a table in markdown")
    parser.add_argument("--records", action="store_true", help="only the corpus, where the tests go by its records")
    parser.add_argument("--versions", action="store_true", help="only the corpus, on many versions of the frameworks")
    parser.add_argument(
        "--migrations", action="store_true", help="only migrations, on drawn pairs: every value where it belongs"
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="with --versions: one pair out of N")
    parser.add_argument("--only", default="", metavar="TEXT", help="with --versions: those with this in their title")
    return parser.parse_args()


def _oracle(stack: contextlib.ExitStack, folder: Path, name: str) -> Oracle:
    oracle = Oracle(name, _python(name), stack.enter_context((folder / f"{name}.log").open("w")))
    stack.callback(oracle.close)
    return oracle


def _python(name: str) -> str:
    return os.environ[f"RESTORE_GUARD_TEST_{FRAMEWORKS[name].environment.upper()}"]


def _say(begin: float, sentence: str) -> None:
    print(f"-- {time.monotonic() - begin:.0f} s: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
