"""What restore-guard says of each pair of the corpus, word by word: `pairs/<rule>/messages.txt`, reviewed by a person.

`python -m messages` writes them anew; what changes in them is read before it is committed.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import msgspec

from restore_guard.reports import text_report
from restore_guard.result import Finding

PAIRS = Path(__file__).parent / "pairs"
FILE = "messages.txt"
_TITLE = re.compile(r"^=== (\S+), (.+)$", re.MULTILINE)

# {(<rule>/<case>, framework): what is said}
Said = Mapping[tuple[str, str], str]


def text(findings: list[Finding]) -> str:
    """What a terminal shows of findings, and nothing where there are none."""
    lines = text_report.render_findings(findings, width=100).splitlines()
    return "\n".join(line.removeprefix("  ").rstrip() for line in lines)


def read() -> Said:
    """What was reviewed."""
    found = {}
    for file in sorted(PAIRS.glob(f"*/{FILE}")):
        _, *parts = _TITLE.split(file.read_text())
        for case, frameworks, said in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            for framework in frameworks.split(", "):
                found[f"{file.parent.name}/{case}", framework] = said.strip("\n")
    return found


def write(said: Said) -> None:
    """Frameworks that say the same share a block; a rule of whose pairs nothing is said has no file."""
    for rule, keys in groupby(sorted(key for key in said if said[key]), lambda key: key[0].partition("/")[0]):
        blocks: dict[tuple[str, str], list[str]] = {}
        for name, framework in keys:
            blocks.setdefault((name.partition("/")[2], said[name, framework]), []).append(framework)
        parts = [f"=== {case}, {', '.join(frameworks)}\n\n{words}\n" for (case, words), frameworks in blocks.items()]
        (PAIRS / rule / FILE).write_text("\n".join(parts))


def main() -> None:
    """Builds all pairs and writes what is said of them."""
    import test_pairs

    from restore_guard.building import probing

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", nargs="+", metavar="NAME=PYTHON", help="keras2 and keras3, each with its Python")
    said = {}
    for name, _, python in (given.partition("=") for given in parser.parse_args().python):
        with tempfile.TemporaryDirectory() as folder, probing.Probe(Path(python)) as probe:
            built = probe.run(
                [test_pairs.job(Path(folder), pair, side) for pair in test_pairs.NAMES for side in test_pairs.SIDES]
            )
        signatures = {at: msgspec.structs.replace(build.known_signature, archive=None) for at, build in built.items()}
        said |= {(pair, name): text(test_pairs.told(signatures, pair)) for pair in test_pairs.NAMES}
    write(said)


if __name__ == "__main__":
    main()
