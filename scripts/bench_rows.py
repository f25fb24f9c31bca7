"""The measurements of scripts/bench: repositories, commands that are timed, and a row for each comparison.

Every figure is the median of several rounds in which both sides take turns, so that a machine that is busy for a
while is so for both. What counts is the ratio.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_sources import BARE, BY_HAND, CARRIED_BY_HAND, EAGER, HUGE, LARGE, PEAK, SAVED, SMALL, WIDE
from environments import ROOT, SetupError, command


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

    def steps(self) -> list[Row]:
        """What a check of the small model consists of once TensorFlow is imported: processes that are forked."""
        folder = self.folder / "steps"
        folder.mkdir()
        (folder / "small.py").write_text(SMALL)
        measure = [str(self.tool), str(ROOT / "scripts" / "bench_steps.py"), str(self.python), str(folder)]
        measured = subprocess.run([*measure, str(self.rounds)], check=True, capture_output=True, text=True).stdout
        importing = statistics.median(self.run([self.python, "-c", BARE], folder) for _ in range(self.rounds))
        return [
            Row(f"a step of a check: {step}", "import tensorflow", seconds, importing, None)
            for step, seconds in json.loads(measured).items()
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
