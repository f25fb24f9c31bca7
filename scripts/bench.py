"""Measures how long restore-guard takes, beside what it is compared with, in one run. See scripts/bench."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench_rows import Bench, Row
from environments import ROOT, SetupError, create, say

MEASUREMENTS = (
    *("untouched", "comment", "comparing", "memory", "tree", "small", "warm", "steps", "many", "large", "migrating"),
)


def table(rows: Sequence[Row]) -> str:
    lines = ["| work | it takes | against | that takes | ratio | at most |", "|---|---|---|---|---|---|"]
    for row in rows:
        limit = "" if row.limit is None else f"{row.limit:g}" + ("" if row.ratio <= row.limit else " **missed**")
        mine, theirs = (f"{value:.0f} MB" if row.unit == "MB" else f"{value:.2f} s" for value in (row.ours, row.theirs))
        lines.append(f"| {row.work} | {mine} | {row.against} | {theirs} | {row.ratio:.2f} | {limit} |")
    return "\n".join(lines) + "\n"


def plot(results: Path, picture: Path) -> None:
    """Draws each ratio beside its limit; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = _rows(json.loads(results.read_text()))[::-1]
    figure, axes = pyplot.subplots(figsize=(10, 0.5 * len(rows) + 1.5))
    axes.barh(range(len(rows)), [row.ratio for row in rows], color="#4878a8", height=0.55)
    for number, row in enumerate(rows):
        # Not across the red line.
        beside = row.limit if row.limit is not None and row.ratio <= row.limit < row.ratio + 0.6 else row.ratio
        axes.text(beside, number, f" {row.ratio:.2f}", va="center", fontsize=8)
        if row.limit is not None:
            axes.plot([row.limit] * 2, [number - 0.4, number + 0.4], color="#c03030", linewidth=2)
    axes.set_yticks(range(len(rows)), [f"{row.work}\nagainst {row.against}" for row in rows], fontsize=8)
    axes.set_xlabel("ratio; the red line is the most it shall be")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(picture, dpi=120)


def _rows(measured: Mapping[str, Mapping]) -> list[Row]:
    return [Row(**row) for name in MEASUREMENTS if name in measured for row in measured[name]["rows"]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "scripts" / "results", help="of the results")
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement; the median counts (5)")
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="measure this alone; may be repeated")
    parser.add_argument("--plot", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    results, picture = options.folder / "bench.json", options.folder / "bench.png"
    if options.plot:
        plot(results, picture)
        return 0
    try:
        tool = create("tool", ">=3.11", ["dev"], project=True)
        python = create("keras3", ">=3.10,<3.14", ["keras3"])
        drawing = create("bench", ">=3.11", ["bench"])
        measured: dict[str, dict] = {}
        with tempfile.TemporaryDirectory(prefix="restore-guard-bench-") as folder:
            bench = Bench(Path(folder), tool, python, options.rounds)
            for name in options.only or MEASUREMENTS:
                say(f"measuring: {name}")
                found = getattr(bench, name)()
                print(table(found), flush=True)
                load = f"load {os.getloadavg()[0]:.1f}"
                on = f"{os.cpu_count()} processors, Python {platform.python_version()}, {load}"
                measured[name] = {"on": on, "rounds": options.rounds, "rows": [vars(row) for row in found]}
    except SetupError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 3
    options.folder.mkdir(parents=True, exist_ok=True)
    # What was not measured now stays as it was measured last.
    known = json.loads(results.read_text()) if results.exists() else {}
    results.write_text(json.dumps(known | measured, indent=1) + "\n")
    rows = _rows(known | measured)
    (options.folder / "bench.md").write_text(f"{table(rows)}\nMedians of {options.rounds} rounds, {on}.\n")
    subprocess.run([drawing, __file__, str(options.folder), "--plot"], check=True)
    return 1 if any(row.limit is not None and row.ratio > row.limit for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
