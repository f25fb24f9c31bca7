"""What was measured, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from differential.frameworks import Fault, Judged

OUTCOMES = ("restores", "partial", "raises", "unsupported")
_COLUMNS = ("pairs × paths", *OUTCOMES, "uncertain", "disagreements")


class Table:
    """Counts by row (a framework, or a saving and a restoring one) and restore path."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], Counter] = {}
        self.disagreements: list[str] = []
        self.faults: dict[str, list[str]] = {}

    def add(self, row: str, name: str, judged: Judged | Fault) -> None:
        """Takes in one pair; one that a framework cannot build says nothing."""
        if isinstance(judged, Fault):
            self.faults.setdefault(row, []).append(f"{name}: {str(judged).strip().splitlines()[-1]}")
            return
        for path, truth in judged.truth.items():
            count = self.counts.setdefault((row, path), Counter())
            count.update({"pairs × paths": 1, truth["outcome"]: 1, "uncertain": not judged.simulated(path).certain})
        for path, sentence in judged.disagreements():
            self.counts[row, path]["disagreements"] += 1
            self.disagreements.append(f"{row}, {name}, {path}: {sentence}")

    def include(self, other: Table) -> None:
        for key, count in other.counts.items():
            self.counts.setdefault(key, Counter()).update(count)
        for row, faults in other.faults.items():
            self.faults.setdefault(row, []).extend(faults)
        self.disagreements += other.disagreements

    def markdown(self) -> Iterator[str]:
        """What each framework did, or each crossing of two, and then the same by restore path."""
        for title, part in (("framework", 0), ("restore path", 1)):
            yield f"| {title} | {' | '.join(_COLUMNS)} |"
            yield f"|---|{'---:|' * len(_COLUMNS)}"
            for name in sorted(dict.fromkeys(key[part] for key in self.counts), key=lambda name: "→" in name):
                yield _line(name, sum((count for key, count in self.counts.items() if key[part] == name), Counter()))
            yield _line("all", sum(self.counts.values(), Counter()))
            yield ""


def _line(name: str, count: Counter) -> str:
    return f"| {name} | {' | '.join(str(count[column]) for column in _COLUMNS)} |"
