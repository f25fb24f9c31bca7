"""Whether a tag may be released, and what the release says: release.py TAG prints the notes of CHANGELOG.md.

The version stands in pyproject.toml alone: the command, reports and caches read it from the installed package.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class ReleaseError(Exception):
    """The tag must not be released; the message says what to change."""


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    if len(arguments) != 1:
        sys.exit(__doc__)
    try:
        print(notes(arguments[0], root))
    except ReleaseError as error:
        sys.exit(f"scripts/release.py: {error}")
    return 0


def notes(tag: str, root: Path) -> str:
    """The section of CHANGELOG.md that a tag such as v1.2.3 releases.

    Raises:
        ReleaseError: the tag, pyproject.toml, CHANGELOG.md and the reusable workflow do not agree.
    """
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, and pyproject.toml has the version {version}: one of them is wrong.")
    major = tag.partition(".")[0]
    workflow = (root / ".github/workflows/sharded.yml").read_text(encoding="utf-8")
    if named := set(re.findall(r"restore-guard(?:/\S+)?@(\S+)", workflow)) - {major}:
        raise ReleaseError(f".github/workflows/sharded.yml runs {', '.join(sorted(named))}: {tag} will be {major}.")
    return _section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)


def _section(changelog: str, version: str) -> str:
    heading, _, rest = changelog.partition(f"\n## [{version}]")[2].partition("\n")
    if not re.fullmatch(r" - \d{4}-\d\d-\d\d", heading):
        raise ReleaseError(f"CHANGELOG.md needs the heading `## [{version}] - YYYY-MM-DD`, the day of the release.")
    text = rest.partition("\n## ")[0].strip()
    if not text:
        raise ReleaseError(f"CHANGELOG.md says nothing of {version}.")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
