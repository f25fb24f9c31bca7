"""What is pushed is judged, whatever is checked out, through the hook that pre-commit and prek installed."""

import pytest
from hooks import BROKEN

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

RUNNERS = ("pre-commit", "prek")


@pytest.fixture
def pushing(guarded):
    """A repository with a remote that has its main branch."""

    def make(runner="pre-commit", **options):
        project = guarded(runner, **options)
        project.git("init", "--quiet", "--bare", "../remote.git")
        project.git("remote", "add", "origin", "../remote.git")
        project.git("push", "--quiet", "--no-verify", "origin", "main")
        return project

    return make


def _retired(project, branch):
    """A branch whose last commit breaks, and which is not checked out."""
    project.git("checkout", "--quiet", "-b", branch)
    project.retire()
    project.commit(message="retire")
    project.commit({"README.md": "more\n"}, "more")
    project.git("checkout", "--quiet", "main")


@pytest.mark.parametrize("runner", RUNNERS)
def test_one_ref(pushing, runner):
    project = pushing(runner)
    _retired(project, "other")
    assert BROKEN in project.refused("push", "origin", "other:main")
    assert BROKEN in project.refused("push", "origin", "other")  # new in the remote
    assert BROKEN in project.refused("push", "origin", "other~:refs/heads/older")  # no branch at all
    project.commit({"README.md": "The models\n"})
    log = project.passed("push", "origin", "main")
    assert "2 models, 0 variables, 0 restore paths: 2 unaffected" in log
    assert "If other is part of this push, what is there alone was not checked" in log


def test_forced_push(pushing):
    project = pushing()
    project.commit({"README.md": "The models\n"})
    project.git("push", "--quiet", "--no-verify", "origin", "main")
    project.git("reset", "--quiet", "--hard", "HEAD~")
    project.retire()
    project.commit(message="retire")
    assert BROKEN in project.refused("push", "--force", "origin", "main")


@pytest.mark.parametrize("runner", RUNNERS)
def test_several_refs(pushing, runner):
    """pre-commit and prek hand over the first ref only; that the others were not checked is said."""
    project = pushing(runner)
    _retired(project, "b-breaks")
    project.commit({"README.md": "The models\n"})
    project.git("branch", "a-good")
    log = project.passed("push", "origin", "a-good", "b-breaks")
    assert "If b-breaks is part of this push, what is there alone was not checked" in log
    project.git("push", "--quiet", "--no-verify", "origin", ":b-breaks", ":a-good")
    _retired(project, "a-breaks")
    assert BROKEN in project.refused("push", "origin", "a-breaks", "a-good")


def test_nothing_is_said_where_no_other_branch_waits(pushing):
    project = pushing()
    project.git("branch", "merged")
    project.commit({"README.md": "The models\n"})
    assert "is part of this push" not in project.passed("push", "origin", "main")


def test_root(guarded):
    """No range is named: the pushed branch is judged from nothing, and not what happens to be staged."""
    project = guarded()
    project.git("init", "--quiet", "--bare", "../empty.git")
    project.git("remote", "add", "origin", "../empty.git")
    project.git("checkout", "--quiet", "-b", "other")
    project.break_net()
    project.commit(message="rename without its manifest")
    project.git("checkout", "--quiet", "main")
    log = project.refused("push", "origin", "other")
    # There is nothing older to restore: only the manifest is at fault.
    assert "net: restores, manifest stale (4 variables)" in log, log


def test_deleted_branch(pushing):
    """Nothing is pushed, so no hook runs."""
    project = pushing()
    project.git("push", "--quiet", "--no-verify", "origin", "main:doomed")
    process = project.begin("git", "push", "origin", ":doomed")
    log = process.communicate()[0]
    assert process.returncode == 0, log
    assert "[deleted]" in log and "restore-guard" not in log
