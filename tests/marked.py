"""The corpora of marked changes, played as one real commit: do the findings stand where a person would look?

`python -m marked` prints the figures; see `lines/README.md`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).parent
CORPORA = ("lines", "causes", "cases")
CONFIGURATION = "restore-guard.toml"
ENTRY = "entry.toml"


@dataclass(frozen=True)
class Mark:
    """A line of the head, or one of the base that is gone."""

    file: str
    text: str
    removed: bool


@dataclass(frozen=True)
class Change:
    """One patch of a corpus.

    Attributes:
        package: the folder of its files in the played commit.
        restores: the restore paths to promise, none for the default ones.
    """

    corpus: str
    base: Path
    patch: Path
    package: str
    marks: tuple[Mark, ...]
    restores: tuple[str, ...]

    @cached_property
    def sides(self) -> tuple[dict[str, str], dict[str, str]]:
        """{file: its text} of base and head."""
        old = _texts(self.base)
        with tempfile.TemporaryDirectory() as folder:
            for name, text in old.items():
                target = Path(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            subprocess.run(["git", "apply", str(self.patch)], cwd=folder, check=True)
            return old, _texts(Path(folder))

    def entries(self, side: int) -> list[str]:
        """The lines of the configuration of each of its models."""
        text = self.sides[side].get(ENTRY, "")
        builders = tomllib.loads(text).get("builders", ["build"])
        own = [line for line in text.splitlines() if not line.startswith("builders")]
        found = []
        for builder in builders:
            found += [f"[models.{self.package}-{builder}]", f'builder = "{self.package}.model:{builder}"']
            found += [f"restores = {json.dumps(self.restores)}"] if self.restores else []
            found += own
        return found


def changes(corpus: str) -> list[Change]:
    """All changes of a corpus."""
    return [_change(corpus, path) for path in sorted((HERE / corpus).glob("*/*.patch"))]


def _change(corpus: str, patch: Path) -> Change:
    marks, restores = [], ()
    for line in patch.read_text().partition("\n\n")[0].splitlines():
        kind, _, value = line.partition(": ")
        if kind in ("marked", "removed"):
            file, _, text = value.partition(": ")
            marks.append(Mark(file, text, kind == "removed"))
        elif kind == "restores":
            restores = tuple(value.split())
    package = f"{patch.parent.name}_{patch.stem}".replace("-", "_")
    return Change(corpus, patch.parent / "base", patch, package, tuple(marks), restores)


def _texts(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def files(played: Sequence[Change], side: int, python: Path) -> dict[str, str]:
    """The files of a repository before (0) or after (1) all changes."""
    lines = [f'python = "{python}"', "timeout = 900"]
    found = {}
    for change in played:
        lines += change.entries(side)
        texts = change.sides[side].items()
        found |= {f"{change.package}/{name}": text for name, text in texts if name != ENTRY}
    return found | {CONFIGURATION: "\n".join(lines) + "\n"}


@dataclass(frozen=True)
class Seen:
    """What came of one change.

    Attributes:
        found: (file, line) of each finding of a new break, each once for all models.
        lines: for each mark the (file, line) that are right; `hunks` those that are in the same hunk.
    """

    change: Change
    found: tuple[tuple[str, int], ...]
    lines: tuple[frozenset[tuple[str, int]], ...]
    hunks: tuple[frozenset[tuple[str, int]], ...]

    def _all_in(self, places: Sequence[frozenset[tuple[str, int]]]) -> bool:
        at = set(self.found)
        return all(any(place in right for right in places) for place in at) and all(right & at for right in places)

    @property
    def on_the_line(self) -> bool:
        return self._all_in(self.lines)

    @property
    def in_the_hunk(self) -> bool:
        return self._all_in(self.hunks)

    @property
    def per_cause(self) -> float:
        return len(self.found) / len(self.change.marks)


def evaluate(report: dict, played: Sequence[Change], before: dict[str, str], after: dict[str, str]) -> list[Seen]:
    """What a JSON report says of each change."""
    models = {model["name"]: model for model in report["models"]}
    return [_seen(change, models, before, after) for change in played]


def _seen(change: Change, models: dict[str, dict], before: dict[str, str], after: dict[str, str]) -> Seen:
    found: Counter[tuple[str, int]] = Counter()
    for name, model in models.items():
        if name.rpartition("-")[0] == change.package:
            # Several models show the same line once.
            found |= Counter(
                (finding["file"], finding["line"])
                for finding in model["findings"]
                if finding["status"] == "new" and finding["level"] == "error"
                if not finding["rule"].startswith("manifest")
            )
    places = [_places(change, mark, before, after) for mark in change.marks]
    return Seen(
        change,
        tuple(sorted(found.elements())),
        tuple(lines for lines, _ in places),
        tuple(hunk for _, hunk in places),
    )


def _places(
    change: Change, mark: Mark, before: dict[str, str], after: dict[str, str]
) -> tuple[frozenset[tuple[str, int]], frozenset[tuple[str, int]]]:
    """(where a finding is right, where it is at least in the hunk)."""
    file = CONFIGURATION if mark.file == ENTRY else f"{change.package}/{mark.file}"
    old, new = (side.get(file, "").splitlines() for side in (before, after))
    parts = [_section(lines, change) if mark.file == ENTRY else range(len(lines)) for lines in (old, new)]
    side = old if mark.removed else new
    own = parts[0] if mark.removed else parts[1]
    (number,) = [number for number in own if side[number].strip() == mark.text]
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    blocks = [code[1:] for code in matcher.get_opcodes() if code[0] != "equal"]
    if mark.removed:
        (block,) = [block for block in blocks if block[0] <= number < block[1]]
        right = range(max(1, block[2]), block[3] + 2)
    else:
        (block,) = [block for block in blocks if block[2] <= number < block[3]]
        right = range(number + 1, number + 2)
    groups = [(group[0][3], group[-1][4]) for group in matcher.get_grouped_opcodes(3)]
    (hunk,) = [range(start + 1, end + 1) for start, end in groups if start <= block[2] <= end and block[3] <= end]
    return frozenset((file, line) for line in right), frozenset((file, line) for line in (*hunk, *right))


def _section(lines: Sequence[str], change: Change) -> range:
    """The numbers of the lines of a change's first model in the configuration."""
    (start,) = [number for number, line in enumerate(lines) if line.startswith(f"[models.{change.package}-")][:1]
    end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("[models.")), len(lines))
    return range(start, end)


def figures(seen: Sequence[Seen]) -> Iterator[str]:
    """The figures of what was seen, one a line."""
    for corpus in CORPORA:
        mine = [one for one in seen if one.change.corpus == corpus]
        if not mine:
            continue
        causes = sum(len(one.change.marks) for one in mine)
        line, hunk = (sum(getattr(one, name) for one in mine) for name in ("on_the_line", "in_the_hunk"))
        ratios = [one.per_cause for one in mine]
        yield (
            f"{corpus}: {len(mine)} changes, {causes} causes; every finding on a marked line and every mark found in "
            f"{line} ({line / len(mine):.0%}), in its hunk in {hunk} ({hunk / len(mine):.0%}); findings per cause: "
            f"median {statistics.median(ratios):.1f}, worst {max(ratios):.1f}"
        )


def misses(seen: Sequence[Seen]) -> Iterator[str]:
    """What is not as it should be, one change a line."""
    for one in seen:
        if not one.on_the_line or one.per_cause != 1:
            wanted = [sorted(f"{file}:{line}" for file, line in right) for right in one.lines]
            where = "line" if one.on_the_line else "hunk" if one.in_the_hunk else "elsewhere"
            yield f"{one.change.package} ({where}): found {list(one.found)}, marked {wanted}"


def play(played: Sequence[Change], python: Path, folder: Path, *options: str) -> list[Seen]:
    """Commits all changes in one repository, runs the command on it and returns what came of each."""
    from conftest import Project

    project = Project(folder / "project", folder / "home")
    sides = [files(played, side, python) for side in (0, 1)]
    if (project.root / CONFIGURATION).exists():
        done = project.check("--base", "HEAD~1", "--head", "HEAD", *options)
        return evaluate(done.report, played, *sides)
    project.write(sides[0])
    updated = project.run("update")
    if updated.code != 0:
        raise RuntimeError(updated.stdout + updated.stderr)
    project.commit(message="before")
    for name in sides[0].keys() - sides[1].keys():
        (project.root / name).unlink()
    project.commit(sides[1], "after")
    done = project.check("--base", "HEAD~1", "--head", "HEAD", *options)
    if done.code not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)
    return evaluate(done.report, played, *sides)


def main(arguments: Sequence[str]) -> int:
    """Prints figures and misses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="a Python with TensorFlow")
    parser.add_argument("--only", default="", help="changes whose package, or corpus, has this in its name")
    parser.add_argument("--folder", type=Path, help="where to keep the repository and its builds")
    parser.add_argument("--witness", default="never", choices=("auto", "always", "never"))
    chosen = parser.parse_args(arguments)
    played = [change for corpus in CORPORA for change in changes(corpus) if chosen.only in f"{corpus}/{change.package}"]
    with contextlib.ExitStack() as stack:
        folder = chosen.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        seen = play(played, chosen.python, folder, "--witness", chosen.witness)
    print("\n".join([*misses(seen), *figures(seen)]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
