"""Every way to commit, through the hook that the real pre-commit and prek installed.

Which content is judged shows in the verdict. Where git alone gives it (a model is no longer configured), nothing is
built; the others build with a real TensorFlow. That the hook changes nothing is asserted at each commit.
"""

import subprocess

import pytest
from hooks import BROKEN, NET, RETIRED

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("kept_warm")]

RUNNERS = ("pre-commit", "prek")


@pytest.mark.parametrize("runner", RUNNERS)
def test_plain_commit(guarded, runner):
    project = guarded(runner)
    line = project.break_net()
    project.git("add", "--all")
    log = project.refused("commit", "--message", "rename")
    for said in ("variable-renamed", f"net.py:{line}", "hidden/kernel", "hidden1/kernel", "--accept-break"):
        assert said in log, (said, log)
    assert "old: " not in log
    project.git("restore", "--staged", "--worktree", "--source=HEAD", ".")
    project.edit("README.md", "models", "The models")
    log = project.passed("commit", "--all", "--message", "no model touched")
    assert "2 models, 0 variables, 0 restore paths: 2 unaffected" in log
    assert project.git("status", "--porcelain") == ""


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize(
    ("staged", "arguments", "breaks"),
    [
        # What is staged is committed, whatever the disk has by now.
        (True, (), True),
        (False, (), False),
        # `-a` and `-- path` commit what is on disk, from an index of their own.
        (False, ("--all",), True),
        (True, ("--all",), False),
        (False, ("--", "pyproject.toml"), True),
        (False, ("--", "README.md"), False),
        (True, ("--", "README.md"), False),
    ],
)
def test_partially_staged(guarded, runner, staged, arguments, breaks):
    project = guarded(runner)
    good = (project.root / "pyproject.toml").read_text()
    project.retire()
    project.edit("README.md", "models", "The models")
    if staged:
        project.git("add", "--all")
        project.write({"pyproject.toml": good})
    else:
        project.git("add", "README.md")
    command = ("commit", "--message", "part", *arguments)
    if breaks:
        log = project.refused(*command)
        assert BROKEN in log, log
    else:
        assert BROKEN not in project.passed(*command)
        assert RETIRED in project.git("show", "HEAD:pyproject.toml")


def test_partially_staged_file_builds_the_staged_half(guarded):
    project = guarded()
    line = project.break_net()
    project.git("add", "--all")
    project.write({"net.py": NET})
    log = project.refused("commit", "--message", "rename")
    assert f"net.py:{line}" in log and "hidden1/kernel" in log, log
    assert (project.root / "net.py").read_text() == NET
    assert "hidden1" in project.git("show", ":net.py")


def test_amend(guarded):
    project = guarded()
    project.retire()
    project.git("add", "--all")
    assert BROKEN in project.refused("commit", "--amend", "--no-edit")
    project.git("restore", "--staged", "--worktree", "--source=HEAD", ".")
    project.edit("README.md", "models", "The models")
    project.passed("commit", "--amend", "--all", "--message", "reworded")
    assert project.git("log", "-1", "--format=%s") == "reworded"


def test_initial_commit(guarded):
    project = guarded()
    project.git("checkout", "--quiet", "--orphan", "fresh")
    project.break_net()
    project.git("add", "--all")
    attempt = project.attempt("commit", "--message", "first")
    assert attempt.code == 1, attempt.log
    # There is nothing before it; that the manifest was made for something else is still seen.
    assert "manifest-stale" in attempt.log and "New here" in attempt.log, attempt.log
    assert project.git("for-each-ref", "refs/heads/fresh") == ""


def _branches(project, conflict):
    """A branch that retires a model, and a main branch that has moved on."""
    project.git("checkout", "--quiet", "-b", "other")
    project.retire()
    project.commit({"README.md": "theirs\n"} if conflict else {}, "retire")
    project.git("checkout", "--quiet", "main")
    project.commit({"README.md": "ours\n"}, "move on")


def test_merge(guarded):
    project = guarded()
    _branches(project, conflict=False)
    log = project.refused("merge", "other")
    assert BROKEN in log, log
    project.git("merge", "--abort")
    assert project.git("status", "--porcelain") == ""


@pytest.mark.parametrize("command", ["merge", "cherry-pick"])
def test_merge_and_cherry_pick_with_a_conflict(guarded, command):
    project = guarded()
    _branches(project, conflict=True)
    stopped = subprocess.run(["git", command, "other"], cwd=project.root, env=project.environ, capture_output=True)
    assert stopped.returncode == 1
    # Before it is resolved nothing can be judged, and nothing is green.
    run = project.run("check", PRE_COMMIT="1")
    assert run.code == 3
    assert "unresolved conflicts" in run.stderr
    project.write({"README.md": "both\n"})
    project.git("add", "--all")
    assert BROKEN in project.refused(command, "--continue")
    assert BROKEN in project.refused("commit", "--message", "by hand")
    project.git("checkout", "main", "--", "pyproject.toml")
    assert BROKEN not in project.passed("commit", "--message", "resolved")


def test_fix_writes_a_stale_manifest_and_fails_once(guarded):
    project = guarded(args=["--fix"])
    project.edit("net.py", "        self.head = ", "        self.again = self.hidden\n        self.head = ")
    project.git("add", "--all")
    process = project.begin("git", "commit", "--message", "an alias")
    log = process.communicate()[0]
    assert process.returncode == 1, log
    assert "net: restores, manifest stale" in log and "restore-manifest/net.json was written" in log, log
    assert project.git("status", "--porcelain").splitlines() == ["M  net.py", " M restore-manifest/net.json"]
    project.git("add", "--all")
    project.passed("commit", "--message", "an alias")


def test_deleted_and_renamed_files(guarded):
    """Deletions alone, which pre-commit's list of files leaves out, and a rename, with its lines mapped."""
    project = guarded()
    project.git("rm", "--quiet", "old.py")
    attempt = project.attempt("commit", "--message", "deletion only")
    assert attempt.code == 1 and "exit code: 3" in attempt.log, attempt.log
    assert "old" in attempt.log and "build-failed" in attempt.log and "No module named 'old'" in attempt.log

    project.git("restore", "--staged", "--worktree", "--source=HEAD", ".")
    line = project.break_net()
    project.git("mv", "net.py", "größe_der_netze.py")
    project.edit("pyproject.toml", '"net:build"', '"größe_der_netze:build"')
    project.git("add", "--all")
    log = project.refused("commit", "--message", "rename")
    assert f"größe_der_netze.py:{line}: error: variable-renamed" in log, log


def test_no_verify_is_seen_by_the_next_push(guarded):
    """What passes by the hook of a commit is judged when it is pushed; see also test_push_situations.py."""
    project = guarded()
    project.git("init", "--quiet", "--bare", "../remote.git")
    project.git("remote", "add", "origin", "../remote.git")
    project.git("push", "--quiet", "--no-verify", "origin", "main")
    project.retire()
    project.commit(message="committed with --no-verify")
    assert BROKEN in project.refused("push", "origin", "main")


def test_run_by_hand_does_not_look_like_a_check(guarded):
    """`pre-commit run --all-files`, as many a CI runs it, has no change to judge."""
    project = guarded()
    process = project.begin(project.hook_command, "run", "--all-files", "restore-guard")
    log = process.communicate()[0]
    assert process.returncode == 0, log
    assert "Nothing is staged, so no change was checked." in log
    process = project.begin(
        project.hook_command, "run", "--from-ref", "HEAD~", "--to-ref", "HEAD", "restore-guard", "--verbose"
    )
    assert "Nothing is staged" not in process.communicate()[0]
