"""What may be released, what the release says, and what the workflow that publishes it may do."""

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FILES = ("scripts/release.py", "pyproject.toml", "CHANGELOG.md", ".github/workflows/sharded.yml")
VERSION = metadata.version("restore-guard")
JOBS = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]


@pytest.fixture
def release(tmp_path):
    """`release(tag, path, old, new)`: the script run on this repository with its changelog dated, and one edit."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    def edit(name, pattern, new):
        content, count = re.subn(pattern, new, (tmp_path / name).read_text(encoding="utf-8"))
        assert count, pattern
        (tmp_path / name).write_text(content, encoding="utf-8")

    def run(tag, *edits):
        edit("CHANGELOG.md", rf"(\[{re.escape(VERSION)}\] - ).*", r"\g<1>2026-01-31")
        for arguments in edits:
            edit(*arguments)
        command = [sys.executable, str(tmp_path / "scripts/release.py"), tag]
        return subprocess.run(command, capture_output=True, text=True)

    return run


def test_notes_are_the_section_of_the_changelog(release):
    older = ("CHANGELOG.md", r"\Z", "\n## [0.0.1] - 2020-01-01\n\n- The first.\n")
    done = release(f"v{VERSION}", older)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("### Added\n") and "`restore-guard check`" in done.stdout
    assert "## [" not in done.stdout and "The first." not in done.stdout


@pytest.mark.parametrize(
    ("tag", "edits", "said"),
    [
        ("v99.0.0", [], "the tag is v99.0.0, and pyproject.toml has the version"),
        (f"v{VERSION}", [("CHANGELOG.md", "2026-01-31", "Unreleased")], "CHANGELOG.md needs the heading"),
        (f"v{VERSION}", [("CHANGELOG.md", r"## \[.*", "## [3.0.0] - 2026-01-31")], "CHANGELOG.md needs the heading"),
        (f"v{VERSION}", [("CHANGELOG.md", r"2026-01-31[\s\S]*", "2026-01-31\n")], "CHANGELOG.md says nothing of"),
        (f"v{VERSION}", [("scripts/../.github/workflows/sharded.yml", r"@v\d+", "@v98")], "sharded.yml runs v98"),
    ],
)
def test_what_does_not_agree_is_not_released(release, tag, edits, said):
    done = release(tag, *edits)
    assert done.returncode == 1 and said in done.stderr and done.stdout == "", done.stderr


def test_only_the_jobs_that_publish_may_write():
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "test": {"contents": "read"},
        "build": {"contents": "read"},
        "attest": {"id-token": "write", "attestations": "write"},
        "publish": {"id-token": "write"},
        "announce": {"contents": "write"},
    }


def test_what_may_write_runs_nothing_of_the_repository_and_builds_nothing():
    for name in ("attest", "publish", "announce"):
        steps = JOBS[name]["steps"]
        assert not [step for step in steps if step.get("uses", "").startswith("actions/checkout")], name
        assert all(step.get("run", "gh ").startswith(("gh ", "major=")) for step in steps), name


def test_nothing_is_published_before_it_is_tested_and_attested():
    assert JOBS["publish"]["needs"] == "attest" and JOBS["announce"]["needs"] == "publish"
    assert set(JOBS["attest"]["needs"]) == {"test", "build"}
    assert JOBS["test"]["uses"] == "./.github/workflows/ci.yml"
