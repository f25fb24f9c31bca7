"""Measures how long restore-guard takes, beside what it is compared with, in one run. See scripts/bench.

Every figure is the median of several rounds in which both sides take turns, so that a machine that is busy for a
while is so for both. What counts is the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from environments import ROOT, SetupError, command, create, say

SMALL = """\
import tensorflow as tf


class Small(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense_1 = tf.keras.layers.Dense(64, activation="relu")
        self.dense_2 = tf.keras.layers.Dense(10)

    def call(self, inputs):
        return self.dense_2(self.dense_1(inputs))


def build():
    model = Small()
    model(tf.zeros((1, 32)))
    return model
"""
LARGE = """\
import tensorflow as tf


def build():
    body = tf.keras.applications.EfficientNetB7(weights=None, include_top=False, pooling="avg")
    inputs = tf.keras.Input((600, 600, 3))
    return tf.keras.Model(inputs, tf.keras.layers.Dense(10, name="head")(body(inputs)))
"""
HUGE = """\
import tensorflow as tf


def build(billions):
    words = tf.keras.Input((None,), dtype="int32")
    vectors = tf.keras.layers.Embedding(500_000 * billions, 1000)(words)
    halves = [tf.keras.layers.Dense(500_000, name=f"wide_{number}")(vectors) for number in range(billions)]
    return tf.keras.Model(words, halves)
"""
WIDE = """\
import tensorflow as tf


class Wide(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.block_0 = tf.keras.layers.Dense(5000)
        self.block_1 = tf.keras.layers.Dense(5001)
        self.block_2 = tf.keras.layers.Dense(5002)
        self.block_3 = tf.keras.layers.Dense(5003)

    def call(self, x):
        return self.block_3(self.block_2(self.block_1(self.block_0(x))))


def build():
    model = Wide()
    model(tf.zeros((1, 5000)))
    return model
"""
SAVED = "import sys; sys.path.insert(0, '.'); import wide; wide.build().save_weights(sys.argv[1])"
# What a team would write by hand for a renamed attribute, without a look at what it has made.
CARRIED_BY_HAND = """\
import sys
import h5py
import tensorflow as tf
sys.path.insert(0, ".")
import wide
model = wide.build()
with h5py.File(sys.argv[1]) as file:
    for number, layer in enumerate(model.layers):
        for place, variable in enumerate(layer.weights):
            variable.assign(file[f"block_{number}/vars/{place}"][()])
model.save_weights(sys.argv[2])
"""
# What a team would write by hand: two checkouts, two Pythons, all weights.
BY_HAND = """\
import sys
import tensorflow as tf
sys.path.insert(0, ".")
import {module}
model = {module}.build()
checkpoint = tf.train.Checkpoint(model)
if sys.argv[1] == "save":
    model.save_weights(sys.argv[2] + ".weights.h5")
    checkpoint.write(sys.argv[2])
else:
    model.load_weights(sys.argv[2] + ".weights.h5")
    checkpoint.read(sys.argv[2]).assert_consumed()
"""
EAGER = "import sys; sys.path.insert(0, '.'); import tensorflow, {module}; {module}.build()"
PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], capture_output=True).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
BARE = "import tensorflow as tf; tf.keras.layers"


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        ours, theirs: medians, in the unit of the row.
        limit: what the ratio shall not exceed; None where it is only shown.
    """

    work: str
    against: str
    ours: float
    theirs: float
    limit: float | None
    unit: str = "s"

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


class Bench:
    """Repositories and measurements."""

    def __init__(self, folder: Path, tool: Path, python: Path, rounds: int) -> None:
        self.folder, self.tool, self.python, self.rounds = folder, tool, python, rounds
        self.environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT", "GITHUB_"))
        }
        self.environ |= {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "RESTORE_GUARD_CACHE": str(folder / "cache"),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
            # No Python that is kept warm, but where that is what is measured.
            "XDG_RUNTIME_DIR": str(folder / "runtime"),
        }

    # --- the measurements -------------------------------------------------------------------------------------

    def untouched(self) -> list[Row]:
        repository = self.repository("untouched", {"small": ("small:build", SMALL)})
        self.stage(repository, {"README.md": "more\n"})
        ours, theirs = self.turns(lambda: self.check(repository), lambda: self.imports(repository))
        return [Row("no-op commit", "bare imports + git diff", ours, theirs, 1.5)]

    def comment(self) -> list[Row]:
        repository = self.repository("comment", {"small": ("small:build", SMALL)})
        self.stage(
            repository, {"small.py": SMALL.replace("        self.dense_2", "        # last\n        self.dense_2")}
        )
        self.check(repository)
        ours, theirs = self.turns(lambda: self.check(repository), lambda: self.imports(repository))
        return [Row("comment-only change, warm cache", "bare imports + git diff", ours, theirs, 2)]

    def small(self) -> list[Row]:
        repository = self.repository("small", {"small": ("small:build", SMALL)})
        changes = iter(range(10_000))

        def change() -> None:
            self.stage(repository, {"small.py": SMALL.replace("Dense(64", f"Dense({100 + next(changes)}")})

        def cold() -> float:
            change()
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            return self.check(repository, expected=1)

        def warm() -> float:
            change()
            return self.check(repository, expected=1)

        def eager() -> float:
            return self.run([self.python, "-c", EAGER.format(module="small")], repository)

        def unwitnessed() -> float:
            change()
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            return self.check(repository, "--witness", "never", expected=1)

        both, one, simulated, theirs = self.turns(cold, warm, unwitnessed, eager)
        against = "import tensorflow + an eager build"
        return [
            Row("small model changed, cold cache", against, both, theirs, 1.25),
            Row("small model changed, base in the cache", against, one, theirs, 1.15),
            Row("small model changed, cold cache, no witness", against, simulated, theirs, None),
        ]

    def warm(self) -> list[Row]:
        """A Python that is kept warm, beside one that is started; the cache is empty each time."""
        changed = {
            "small": (SMALL, SMALL.replace("Dense(64", "Dense(65")),
            "large": (LARGE, LARGE.replace("Dense(10", "Dense(11")),
        }
        repositories = {}
        for name, (before, after) in changed.items():
            repositories[name] = self.repository(f"warm-{name}", {name: (f"{name}:build", before)})
            self.stage(repositories[name], {f"{name}.py": after})

        def checked(name: str, ci: str) -> Callable[[], float]:
            def run() -> float:
                shutil.rmtree(self.folder / "cache", ignore_errors=True)
                self.environ["CI"] = ci
                return self.check(repositories[name], expected=1)

            return run

        def bare() -> float:
            return self.run([self.python, "-c", BARE], self.folder)

        self.environ["CI"] = ""
        tool = command(self.tool, "restore-guard")
        self.run([tool, "warm"], repositories["small"])
        try:
            kinds = [checked(name, ci) for name in changed for ci in ("", "true")]
            small, small_cold, large, large_cold, importing = self.turns(*kinds, bare)
        finally:
            self.environ["CI"] = ""
            self.run([tool, "warm", "--stop"], repositories["small"])
        return [
            Row("small model changed, with `restore-guard warm`", "import tensorflow", small, importing, 0.25),
            Row("small model changed, with `restore-guard warm`", "the same without", small, small_cold, None),
            Row("EfficientNetB7 changed, with `restore-guard warm`", "the same without", large, large_cold, 0.6),
        ]

    def large(self) -> list[Row]:
        repository = self.repository("large", {"large": ("large:build", LARGE)})
        self.stage(repository, {"large.py": LARGE.replace("Dense(10", "Dense(11")})

        def ours() -> float:
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            return self.check(repository, expected=1)

        def by_hand() -> float:
            begin = time.perf_counter()
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                for half in ("save", "load"):
                    checkout = Path(folder, half)
                    self.git(repository, "worktree", "add", "--quiet", "--detach", str(checkout))
                    script = BY_HAND.format(module="large")
                    self.run([self.python, "-c", script, half, str(Path(folder, "checkpoint"))], checkout)
                    self.git(repository, "worktree", "remove", "--force", str(checkout))
            return time.perf_counter() - begin

        mine, theirs, bare = self.turns(ours, by_hand, lambda: self.run([self.python, "-c", BARE], repository))
        return [
            Row("EfficientNetB7 changed, both sides", "two checkouts, built, saved, loaded", mine, theirs, 0.5),
            Row("EfficientNetB7 changed, both sides", "import tensorflow", mine, bare, None),
        ]

    def migrating(self) -> list[Row]:
        """A weights file of 400 MB, carried across a rename of all its layers."""
        repository = self.repository("wide", {"wide": ("wide:build", WIDE)})
        old, new = self.folder / "old.weights.h5", self.folder / "new.weights.h5"
        self.run([self.python, "-c", SAVED, old], repository)
        self.stage(repository, {"wide.py": WIDE.replace("block_", "chunk_")})
        tool = command(self.tool, "restore-guard")
        self.run([tool, "update", "--migrate", "renamed"], repository)
        migrate = [tool, "migrate", str(old), str(new)]

        def ours() -> float:
            new.unlink(missing_ok=True)
            return self.run(migrate, repository)

        def by_hand() -> float:
            new.unlink(missing_ok=True)
            return self.run([self.python, "-c", CARRIED_BY_HAND, old, new], repository)

        mine, theirs = self.turns(ours, by_hand)
        new.unlink()
        above = self.together(migrate, repository) - self.together([self.python, "-c", BARE], repository)
        values = old.stat().st_size / 1024**2
        return [
            Row("`migrate` of a file of 400 MB", "imported, built, loaded, saved by hand", mine, theirs, 1.3),
            Row("memory of `migrate` above the import, all processes", "the file's values", above, values, 2.2, "MB"),
        ]

    def many(self) -> list[Row]:
        counts = (1, 10, 100, 500)
        repositories = {}
        for count in counts:
            models = {f"m{number}": (f"m{number}:build", SMALL) for number in range(count)}
            repositories[count] = self.repository(f"many-{count}", models)
            changed = SMALL.replace("Dense(64", "Dense(65")
            self.stage(repositories[count], {f"m{number}.py": changed for number in range(count)})

        def cold(count: int, *options: str) -> Callable[[], float]:
            def run() -> float:
                shutil.rmtree(self.folder / "cache", ignore_errors=True)
                return self.check(repositories[count], *options, expected=1)

            return run

        simulated = cold(100, "--witness", "never")
        one, ten, hundred, unwitnessed = self.turns(*(cold(count) for count in counts[:3]), simulated)
        most = cold(500)()  # takes minutes: once
        return [
            Row("10 small models changed", "one small model changed", ten, one, None),
            Row("100 small models changed", "one small model changed", hundred, one, 4),
            Row("100 small models changed, no witness", "one small model changed", unwitnessed, one, None),
            Row("500 small models changed, once", "one small model changed", most, one, None),
        ]

    def tree(self) -> list[Row]:
        """Memory of all processes together, pages that they share counted once (Pss of smaps_rollup)."""
        repository = self.repository("tree", {"small": ("small:build", SMALL)})
        self.stage(repository, {"small.py": SMALL.replace("Dense(64", "Dense(65")})

        def check() -> float:
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            return self.together([command(self.tool, "restore-guard"), "check", "--staged"], repository)

        ours, theirs = self.turns(check, lambda: self.together([self.python, "-c", BARE], self.folder))
        work = "memory of all processes of a check, small model changed"
        return [Row(work, "import tensorflow", ours, theirs, 1.6, "MB")]

    def memory(self) -> list[Row]:
        bare = self.peak([str(self.python), "-c", BARE], self.folder)
        rows = []
        for billions in (1, 10, 50):
            files = {"huge": ("huge:build", HUGE)}
            repository = self.repository(f"huge-{billions}", files, f"kwargs = {{ billions = {billions} }}")
            self.stage(repository, {"huge.py": HUGE.replace("wide_", "broad_")})
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            peak = self.peak([command(self.tool, "restore-guard"), "check", "--staged"], repository)
            limit = 1.15 if billions == 50 else None
            work = f"peak memory, {billions} billion parameters"
            rows.append(Row(work, "import tensorflow", peak, bare, limit, "MB"))
        return rows

    def comparing(self) -> list[Row]:
        def seconds(kind: str, count: int) -> Callable[[], float]:
            measure = [str(self.tool), str(ROOT / "scripts" / "bench_signatures.py"), kind, str(count)]
            return lambda: float(subprocess.run(measure, check=True, capture_output=True, text=True).stdout)

        rows = []
        for kind, paths in (("keras", "a Keras model, its 5 paths"), ("graph", "a TF1-style graph")):
            half, whole = self.turns(seconds(kind, 50_000), seconds(kind, 100_000))
            work = f"comparing signatures of 100 000 variables: {paths}"
            rows += [Row(work, "2 seconds", whole, 2.0, 1), Row(work, "50 000 variables", whole, half, 2.2)]
        return rows

    # --- how it is measured -----------------------------------------------------------------------------------

    def turns(self, *measured: Callable[[], float]) -> list[float]:
        """The median of each, all of them once a round; one more round before, which fills the disk's cache."""
        rounds = [[measure() for measure in measured] for _ in range(self.rounds + 1)][1:]
        return [statistics.median(column) for column in zip(*rounds, strict=True)]

    def check(self, repository: Path, *arguments: str, expected: int = 0) -> float:
        staged = [command(self.tool, "restore-guard"), "check", "--staged", *arguments]
        return self.run(staged, repository, expected=expected)

    def imports(self, repository: Path) -> float:
        begin = self.run([str(self.tool), "-c", "import git, click, msgspec"], repository)
        return begin + self.run(["git", "diff", "--cached", "--quiet"], repository, expected=1)

    def run(self, arguments: Sequence[str | Path], folder: Path, *, expected: int = 0) -> float:
        begin = time.perf_counter()
        done = subprocess.run(arguments, cwd=folder, env=self.environ, capture_output=True, text=True)
        taken = time.perf_counter() - begin
        if done.returncode != expected:
            raise SetupError(
                f"{' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return taken

    def peak(self, arguments: Sequence[str], folder: Path) -> float:
        """The largest resident memory, in MB, of any process that the command starts."""
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *arguments], cwd=folder, env=self.environ, capture_output=True, text=True
        )
        code, kilobytes = map(int, done.stdout.split())
        if code not in (0, 1):
            raise SetupError(f"{' '.join(arguments)} ended with {code}")
        return kilobytes / 1024

    def together(self, arguments: Sequence[str | Path], folder: Path) -> float:
        """The most memory, in MB, that a command and all that it starts have at one time."""
        most = 0.0
        with subprocess.Popen(
            arguments, cwd=folder, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None:
                most = max(most, sum(map(_pss, _tree(process.pid))))
                time.sleep(0.02)
        return most / 1024

    # --- repositories -----------------------------------------------------------------------------------------

    def repository(self, name: str, models: Mapping[str, tuple[str, str]], further: str = "") -> Path:
        """A committed repository of models with their manifests; {model: (builder, source)}."""
        folder = self.folder / name
        folder.mkdir()
        lines = ["[tool.restore-guard]", f'python = "{self.python}"']
        for model, (builder, source) in models.items():
            lines += [f"[tool.restore-guard.models.{model}]", f'builder = "{builder}"', further]
            (folder / f"{builder.partition(':')[0]}.py").write_text(source)
        (folder / "pyproject.toml").write_text("\n".join(lines) + "\n")
        self.git(folder, "init", "--quiet")
        self.run([command(self.tool, "restore-guard"), "update"], folder)
        self.git(folder, "add", "--all")
        self.git(
            folder, "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "-m", "first"
        )
        return folder

    def stage(self, repository: Path, files: Mapping[str, str]) -> None:
        for path, content in files.items():
            (repository / path).write_text(content)
        self.git(repository, "add", "--all")

    def git(self, repository: Path, *arguments: str) -> None:
        self.run(["git", *arguments], repository)


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def _pss(pid: int) -> int:
    """Kilobytes of a process, of shared pages its part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


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


MEASUREMENTS = ("untouched", "comment", "comparing", "memory", "tree", "small", "warm", "many", "large", "migrating")


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
