"""Sets up an environment and plays the corpora of marked changes; see scripts/lines and tests/marked.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from environments import ROOT, SetupError, create
from run_tests import GENERATIONS


def main(arguments: Sequence[str]) -> int:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    try:
        tool = create("tool", ">=3.11", ["dev"], project=True)
        keras3 = create("keras3", GENERATIONS["keras3"], ["keras3"])
    except SetupError as error:
        print(f"scripts/lines: {error}", file=sys.stderr)
        return 3
    os.chdir(ROOT)
    os.execve(tool, [str(tool), "-m", "marked", "--python", str(keras3), *arguments], environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
