"""The hook in a real pre-commit, in real commits."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import rename

pytestmark = pytest.mark.tensorflow

PRE_COMMIT = Path(sys.executable).with_name("pre-commit")

HOOKS = """\
repos:
  - repo: {tool}
    rev: v1
    hooks:
      - id: restore-guard
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """pre-commit's cache: the hook's environment is installed into it once."""
    return tmp_path_factory.mktemp("pre-commit")


def _environ(project, store):
    """The user's own settings of pip stay: where packages come from."""
    return project.environ | {"PRE_COMMIT_HOME": str(store), "HOME": str(Path.home())}


def _run(project, store, *command):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=project.root,
        env=_environ(project, store),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def test_try_repo(make_repository, library, tool, store):
    project = make_repository(copy_of=library)
    code, log = _run(project, store, PRE_COMMIT, "try-repo", tool, "restore-guard", "--verbose")
    assert code == 0, log
    assert "restore-guard...." in log and "Passed" in log
    assert "13 models, 0 variables, 0 restore paths: 13 unaffected" in log


def test_commits_through_the_installed_hook(make_repository, library, tool, store):
    project = make_repository(copy_of=library)
    project.commit({".pre-commit-config.yaml": HOOKS.format(tool=tool)})
    assert _run(project, store, PRE_COMMIT, "install")[0] == 0
    head = project.git("rev-parse", "HEAD")

    # A commit that breaks a restore; on disk the break is already repaired, but what is staged decides.
    line = rename(project)
    project.git("add", "--all")
    broken = project.git("write-tree")
    project.git("restore", "--source=HEAD", "page.py")
    code, log = _run(project, store, "git", "commit", "--message", "rename")
    assert code == 1, log
    assert project.git("rev-parse", "HEAD") == head
    for said in ("variable-renamed", f"page.py:{line}", "dense_1", "denselayer1", "--accept-break", "exit code: 1"):
        assert said in log, (said, log)
    # As before: the broken half staged, the repaired one on disk.
    assert project.git("write-tree") == broken
    assert "self.dense_1 = " in (project.root / "page.py").read_text()
    assert project.git("worktree", "list", "--porcelain").count("worktree ") == 1
    assert project.git("stash", "list") == ""
    assert list(project.temporary.iterdir()) == []

    # `commit -a` stages into an index of its own: with it, the staged break is gone again.
    project.edit("README.md", "models", "The models")
    code, log = _run(project, store, "git", "commit", "--all", "--message", "no model touched")
    assert code == 0, log
    assert project.git("rev-parse", "HEAD~") == head
    assert project.git("status", "--porcelain") == ""
