"""What each restore path really does with the examples of the rules: the data that `explain` shows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path

from differential.frameworks import FRAMEWORKS, Fault, Judged, Oracle, judge_all
from restore_guard import rules
from restore_guard.change.diffs import Diff, FileDiff
from restore_guard.judging.comparison import compare
from restore_guard.restore_paths import RESTORE_PATHS
from restore_guard.rules import RULES
from restore_guard.rules.shared import measured
from restore_guard.rules.shared.measured import Measured, Measurements, Seen

CORPUS = Path(__file__).resolve().parents[1] / "pairs"
FILE = Path(rules.__file__).with_name(measured.FILE)
# {column: (what saves, what restores)}.
PLAIN = {"Keras 2": ("keras2", "keras2"), "Keras 3": ("keras3", "keras3")}
CROSSED = {"Keras 2 → Keras 3": ("keras2", "keras3")}


def measure(oracles: Mapping[str, Oracle]) -> Measurements:
    """Saves and restores the example of each rule that has a pair.

    Raises:
        Fault: a pair cannot be built.
    """
    examples = {name: rule.example for name, rule in RULES.items() if rule.example.pair is not None}
    work = {
        (name, column): (oracles[sides[0]], [oracles[sides[1]]], *pair(example.pair))
        for name, example in examples.items()
        for column, sides in (CROSSED if example.crossed else PLAIN).items()
    }
    found = {name: Measured(changed(example.pair), {}) for name, example in examples.items()}
    for (name, column), _, judged in judge_all(work):
        if isinstance(judged, Fault):
            raise judged
        for path in RESTORE_PATHS:
            found[name].outcomes.setdefault(path, {})[column] = _seen(judged, path, pair(examples[name].pair))
    for measured_of in found.values():
        for path, seen in [*measured_of.outcomes.items()]:
            if all(each.outcome == "unsupported" for each in seen.values()):
                del measured_of.outcomes[path]
    columns = {
        column: " → ".join(dict.fromkeys(FRAMEWORKS[side].title for side in sides))
        for column, sides in (PLAIN | CROSSED).items()
    }
    return Measurements(columns, found)


def write(oracles: Mapping[str, Oracle]) -> None:
    """Writes the data of `explain`."""
    FILE.write_bytes(measured.dump(measure(oracles)))


def pair(name: str) -> tuple[Path, Path]:
    return CORPUS / name / "base.py", CORPUS / name / "head.py"


def changed(name: str) -> tuple[str, ...]:
    """The changed lines of a pair, without its marks."""
    base, head = (re.sub(r" *# finding.*", "", path.read_text()).splitlines() for path in pair(name))
    diff = [line for line in difflib.ndiff(base, head) if line.startswith(("- ", "+ ")) and line[2:].strip()]
    indent = min((len(line) - 2 - len(line[2:].lstrip()) for line in diff), default=0)
    return tuple(line[:2] + line[2 + indent :] for line in diff)


def _seen(judged: Judged, path: str, files: tuple[Path, Path]) -> Seen:
    """The truth as a report shows it; which values are misplaced follows from what each was assigned."""
    truth, model = judged.truth[path], judged.model(path)
    counted = sum(not variable.seed for variable in model.variables)
    diff = Diff({"base.py": FileDiff("head.py", *(file.read_text() for file in files))})
    if truth["outcome"] in ("raises", "unsupported"):
        return Seen(truth["outcome"], variables=counted)
    (compared,) = compare(judged.base, judged.head, [path], diff, judged.revivals)
    return Seen(
        truth["outcome"],
        restored=len(truth["assigned"]),
        variables=counted,
        initial=tuple(truth["initial"]),
        unused=tuple(truth["unused"]),
        misplaced=tuple(compared.misplaced(path)),
    )
