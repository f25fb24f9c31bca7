"""Sets up the environments and the repositories of tests/adoption; see scripts/adoption, tests/adoption/playing.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from environments import ROOT, SetupError, create
from run_tests import GENERATIONS


def main(arguments: Sequence[str]) -> int:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests" / "adoption")}
    try:
        tool = create("tool", ">=3.11", ["dev"], project=True)
        pythons = [f"{name}={create(name, GENERATIONS[name], [name])}" for name in ("keras3", "keras2")]
    except SetupError as error:
        print(f"scripts/adoption: {error}", file=sys.stderr)
        return 3
    os.chdir(ROOT)
    os.execve(tool, [str(tool), "-m", "playing", *pythons, *arguments], environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
