"""What TensorFlow did to the pairs of the corpus, as scripts/differential wrote it down.

A record counts as long as nothing has changed that decides on it: the pair, the oracle, and what is installed. Where
it does not count, the pair is judged anew, which takes longer and tells the same.
"""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from differential import truth
from differential.frameworks import FRAMEWORKS, ORACLE, Judged
from restore_guard import probe

FOLDER = Path(__file__).with_name("records")
RECORDED = ("keras3", "keras2")
"""The frameworks on which the tests hold the simulation against every pair."""

_DECIDING = ("tensorflow", "tensorflow-cpu", "keras", "tf-keras", "h5py", "numpy")
_INSTALLED = """
import importlib.metadata, json, sys
found = {one.name: one.version for one in importlib.metadata.distributions() if one.name in sys.argv[1:]}
print(json.dumps([sys.version_info[:2], sorted(found.items())]))
"""
# Of the probe, the oracle uses what makes models, tells their variables, saves and restores them.
_ASKED = ("*.py", "describers/*.py", "witnessing/*.py")


class Records:
    """The records of one framework: {pair: {"key", "truth", "itself"}}, one a line.

    Args:
        python: the interpreter that has it.
    """

    def __init__(self, framework: str, python: Path) -> None:
        self.file = FOLDER / f"{framework}.json"
        self.found: dict[str, Any] = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.code = _digest(_installed(python), FRAMEWORKS[framework].title.encode(), *_oracle())

    def of(self, name: str, base: Path, head: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """(truth, itself) of a pair, as `Judged` has them; None where no record counts."""
        record = self.found.get(name)
        if record is None or record["key"] != self._key(base, head):
            return None
        return tuple({at: _opened(record["seen"][one]) for at, one in record[side].items()} for side in _SIDES)

    def write(self, pairs: Mapping[str, tuple[Path, Path]], judged: Mapping[str, Judged]) -> None:
        """Replaces all records by what was judged now."""
        lines = [
            f"{json.dumps(name)}: {json.dumps(self._record(judged[name], *pairs[name]), sort_keys=True)}"
            for name in sorted(judged)
        ]
        FOLDER.mkdir(exist_ok=True)
        self.file.write_text("{\n" + ",\n".join(lines) + "\n}\n")

    def _record(self, judged: Judged, base: Path, head: Path) -> dict[str, Any]:
        """Most situations of a pair end alike: each end stands once, by its number."""
        numbers: dict[str, int] = {}
        sides = {
            side: {
                at: numbers.setdefault(json.dumps(_closed(told), sort_keys=True), len(numbers))
                for at, told in getattr(judged, side).items()
            }
            for side in _SIDES
        }
        return {"key": self._key(base, head), **sides, "seen": [json.loads(text) for text in numbers]}

    def _key(self, base: Path, head: Path) -> str:
        return _digest(self.code.encode(), base.read_bytes(), head.read_bytes())


_SIDES = ("truth", "itself")


def _closed(told: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty or a text of an error, which names folders; what kept its name stands without it."""
    assigned = told["assigned"]
    kept = sorted(new for new, old in assigned.items() if new == old)
    moved = {new: old for new, old in assigned.items() if new != old}
    short = {**told, "error": None, "assigned": moved, "kept": kept}
    return {key: value for key, value in short.items() if value}


def _opened(record: Mapping[str, Any]) -> dict[str, Any]:
    told = {**truth._unsupported("see the record"), **record}
    told["assigned"] = {name: name for name in told.pop("kept", ())} | record.get("assigned", {})
    return told


@functools.cache
def _oracle() -> tuple[bytes, ...]:
    folder = Path(probe.__file__).parent
    files = [ORACLE, Path(truth.__file__), *(path for pattern in _ASKED for path in sorted(folder.glob(pattern)))]
    return tuple(path.read_bytes() for path in files)


def _installed(python: Path) -> bytes:
    return subprocess.run([python, "-c", _INSTALLED, *_DECIDING], capture_output=True, check=True).stdout


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
