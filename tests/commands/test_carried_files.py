"""Files that git ignores and builds need: told with the line to add, and carried into both sides."""

import pytest
from conftest import settings

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

MODEL = """\
import pathlib

import tensorflow as tf

from pkg._version import WIDTH

words = (pathlib.Path(__file__).parent / "words.txt").read_text().split()


def build():
    return tf.keras.Sequential([tf.keras.Input((len(words),)), tf.keras.layers.Dense(WIDTH)])
"""
ONE_COMMIT = ("--base", "HEAD~", "--head", "HEAD", "--witness", "never")


@pytest.fixture
def project(make_repository, keras3):
    files = {"pkg/__init__.py": "", "pkg/model.py": MODEL, ".gitignore": "_version.py\nwords.txt\n"}
    project = make_repository(
        files=files | {"pyproject.toml": settings(keras3, {"net": 'builder = "pkg.model:build"'})}
    )
    (project.root / "pkg/_version.py").write_text("WIDTH = 3\n")
    (project.root / "pkg/words.txt").write_text("a b c d\n")
    done = project.run("update")
    assert done.code == 0, done.stdout + done.stderr
    project.commit(message="promised")
    return project


def said(run):
    return " ".join(finding["message"] for finding in run.model("net")["findings"])


def carry(project, *files):
    project.edit("pyproject.toml", "[tool.restore-guard]\n", f"[tool.restore-guard]\ncarry = {list(files)}\n")


def test_what_is_ignored_is_told_and_then_carried(project):
    project.commit({"pkg/model.py": MODEL.replace("len(words)", "len(words) + 0")})
    run = project.check(*ONE_COMMIT)
    assert run.code == 3
    assert 'pkg/_version.py is on disk but ignored by git: add carry = ["pkg/_version.py"]' in said(run)
    carry(project, "pkg/_version.py")
    project.commit(message="one of them")
    run = project.check(*ONE_COMMIT)
    assert "pkg/words.txt is on disk but ignored by git" in said(run)
    project.edit("pyproject.toml", "['pkg/_version.py']", '["pkg/_version.py", "pkg/*.txt"]')
    project.commit(message="carried")
    run = project.check("--base", "HEAD~3", "--head", "HEAD", "--witness", "never")
    assert run.code == 0, run.stdout + run.stderr
    assert run.model("net")["variables"] == 2

    # Another content is another build, of both sides alike: what is kept of the first is not taken for it.
    (project.root / "pkg/_version.py").write_text("WIDTH = 5\n")
    run = project.check("--base", "HEAD~3", "--head", "HEAD", "--witness", "never")
    assert run.code == 1
    assert {finding[0] for finding in run.findings("net") if finding[1] == "error"} >= {"shape-changed"}


def test_nothing_of_a_side_is_written_over_and_nothing_outside_is_read(project):
    (project.root.parent / "secret.txt").write_text("x")
    for wrong in ("../secret.txt", "/etc/passwd"):
        carry(project, wrong)
        run = project.run("check")
        assert run.code == 2 and "carry" in run.stderr
        project.git("checkout", "--quiet", "--", "pyproject.toml")
    # What git knows is the side's own, whatever the work tree has.
    project.git("add", "--force", "pkg/_version.py")
    carry(project, "pkg/*")
    project.commit(message="known")
    (project.root / "pkg/_version.py").write_text("WIDTH = 7\n")
    run = project.check("--base", "HEAD", "--head", "HEAD", "--all", "--witness", "never")
    assert run.code == 0, run.stdout
