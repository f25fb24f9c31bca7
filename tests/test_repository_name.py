"""The repository has one name, a placeholder until it is published: no file calls it otherwise."""

import re
from pathlib import Path

from restore_guard.commands.origin import PLACEHOLDER

HERE = Path(__file__).resolve().parents[1]
FILES = [
    *(HERE / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "action.yml", "pyproject.toml")),
    *(HERE / "hook").rglob("*.py"),
    *(HERE / "scripts").glob("*.py"),
    *(HERE / ".github").rglob("*.yml"),
]
# owner/restore-guard, as in an address and in `uses:`; not hook/restore_guard, /tmp/restore-guard or a cache folder.
NAMED = re.compile(r"(?:github\.com[/:]|uses: |\")([A-Za-z0-9_.{}-]+/restore-guard)(?=[@/\s\"'.]|$)")


def test_one_name():
    named = {(path.name, name) for path in FILES if path.is_file() for name in NAMED.findall(path.read_text())}
    assert {name for _, name in named} == {PLACEHOLDER}, named
    assert {"README.md", "origin.py", "sharded.yml"} <= {file for file, _ in named}
