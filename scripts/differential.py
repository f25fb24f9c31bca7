"""Sets up the proof's environments and runs it; see scripts/differential and tests/differential/__main__.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from environments import ROOT, SetupError, create, index_settings, uv_command
from run_tests import GENERATIONS


def main(arguments: Sequence[str]) -> int:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    try:
        tool = create("tool", ">=3.11", ["dev"], project=True)
        environ["RESTORE_GUARD_TEST_UV"] = str(uv_command())
        environ |= index_settings()
        for name, versions in ({} if "--versions" in arguments else GENERATIONS).items():
            environ[f"RESTORE_GUARD_TEST_{name.upper()}"] = str(create(name, versions, [name]))
    except SetupError as error:
        print(f"scripts/differential: {error}", file=sys.stderr)
        return 3
    os.chdir(ROOT)
    os.execve(tool, [str(tool), "-m", "differential", *arguments], environ)  # so that an interruption ends one process


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
