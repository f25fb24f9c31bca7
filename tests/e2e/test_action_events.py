"""What an event compares, without a workflow: real git, no TensorFlow."""

import subprocess

import payloads
import pytest
from action_job import Job, small_origin
from conftest import SMALL, Project
from payloads import ZEROS

from restore_guard.actions.clone import Clone

GONE = "1234567890" * 4


@pytest.fixture
def origin(make_repository):
    return small_origin(make_repository)


@pytest.fixture
def job(origin, tmp_path):
    return Job(origin, tmp_path)


def _pull_request(origin, touched):
    """main moves on while a branch changes a file; returns (head, stale base, base as merged)."""
    stale = origin.git("rev-parse", "HEAD")
    origin.git("checkout", "--quiet", "-b", "feature")
    head = origin.commit({touched: SMALL + "# feature\n"})
    origin.git("checkout", "--quiet", "main")
    merged = origin.commit({"small.py": SMALL + "# main moved on\n", "other.md": ""})
    if touched == "small.py":
        origin.git("merge", "--quiet", "--strategy-option=theirs", "--no-ff", "--message", "merge", "feature")
    else:
        origin.git("merge", "--quiet", "--no-ff", "--message", "merge", "feature")
    origin.git("update-ref", "refs/pull/1/merge", "HEAD")
    origin.git("reset", "--quiet", "--hard", merged)
    return head, stale, merged


MERGE = "refs/pull/1/merge"


@pytest.mark.parametrize("depth", [None, 1, 2])
def test_pull_request_is_compared_with_the_base_as_merged(job, origin, depth):
    """Seen from the event's stale base, the model would be touched: by main, not by the pull request."""
    head, stale, merged = _pull_request(origin, "notes.py")
    job.checkout(MERGE, depth)
    event = payloads.pull_request(head, stale)
    assert job.run("pull_request", event) == 0, job.log
    assert job.outputs.items() >= {"before": "1", "verdict": "restores", "breaks": "0"}.items()
    assert (job.report["base"], job.report["head"]) == (merged, origin.git("rev-parse", MERGE))
    assert job.log == "1 model, 0 variables, 0 restore paths: 1 unaffected\n"
    assert job.summary.read_text().count("1 unaffected") == 1
    assert job.run("pull_request", event, RESTORE_GUARD_BASE=stale) == 2  # the control
    assert (job.project.root / ".git/shallow").exists() == (depth is not None)


@pytest.mark.parametrize("depth", [None, 1])
def test_pull_request_that_touches_the_model_is_checked(job, origin, depth):
    head, stale, _ = _pull_request(origin, "small.py")
    job.checkout(MERGE, depth)
    assert job.run("pull_request", payloads.pull_request(head, stale)) == 2
    assert "no-such-python" in job.log


@pytest.mark.parametrize("fork", ["deleted", payloads.repository("octocat/models")])
def test_pull_request_of_a_fork(job, origin, fork):
    """Its merge commit is in the base's repository, as any other."""
    head, stale, merged = _pull_request(origin, "notes.py")
    job.checkout(MERGE, 1)
    assert job.compares("pull_request", payloads.pull_request(head, stale, fork=fork))[0] == merged


def test_base_of_a_pull_request_that_cannot_be_fetched(job, origin):
    """As with persist-credentials: false in a private repository."""
    head, stale, merged = _pull_request(origin, "notes.py")
    job.checkout(MERGE, 1)
    job.project.git("remote", "set-url", "origin", f"file://{origin.root}/gone")
    assert job.run("pull_request", payloads.pull_request(head, stale)) == 3
    assert f"the base of the pull request, {merged}, is not in this clone and could not be fetched." in job.log
    assert "%0A    - uses: actions/checkout@v5%0A      with:%0A        fetch-depth: 2%0A" in job.log
    assert (
        "        - uses: actions/checkout@v5\n          with:\n            fetch-depth: 2\n" in job.summary.read_text()
    )
    assert "/gone' does not appear to be a git repository" in job.log


@pytest.mark.parametrize("depth", [None, 1])
def test_head_of_the_pull_request_checked_out_by_hand(job, origin, depth):
    """It is compared with where it left the base branch: not with main, which has moved on."""
    head, stale, _ = _pull_request(origin, "notes.py")
    job.checkout("refs/heads/feature", depth)
    assert job.compares("pull_request", payloads.pull_request(head, stale)) == (stale, head)


def test_head_checked_out_by_hand_that_touches_the_model(job, origin):
    head, stale, _ = _pull_request(origin, "small.py")
    job.checkout("refs/heads/feature", 1)
    assert job.run("pull_request", payloads.pull_request(head, stale)) == 2
    assert "no-such-python" in job.log


@pytest.mark.parametrize("depth", [None, 1])
def test_branch_that_has_merged_a_newer_main(job, origin, depth):
    """The event's base.sha is where the branch once started; what it took over from main is not its own change."""
    _, stale, merged = _pull_request(origin, "notes.py")
    origin.git("checkout", "--quiet", "feature")
    origin.git("merge", "--quiet", "--no-ff", "--message", "update branch", "main")
    head = origin.git("rev-parse", "HEAD")
    job.checkout("refs/heads/feature", depth)
    assert job.compares("pull_request", payloads.pull_request(head, stale)) == (merged, head)


def test_branch_that_left_long_ago(job, origin, tmp_path):
    """150 commits on each side: deepened to where they meet."""
    stale = origin.git("rev-parse", "HEAD")
    stream = []
    for branch in ("feature", "main"):
        for number in range(150):
            stream += [f"commit refs/heads/{branch}", "committer T <t@example.org> 1 +0000", "data 1", "x"]
            stream += [f"from {stale}"] if number == 0 else []
            stream += [f"M 100644 inline {branch}.md", "data 3", f"{number:3}"]
    subprocess.run(
        ["git", "fast-import", "--quiet", "--force"], cwd=origin.root, input="\n".join(stream).encode(), check=True
    )
    head = origin.git("rev-parse", "feature")
    job.checkout("refs/heads/feature", 1)
    assert job.compares("pull_request", payloads.pull_request(head, stale)) == (stale, head)


def test_merge_base_behind_a_cut_is_not_taken_for_the_last(job, origin, tmp_path):
    """At depth 2 an old way to main is in sight, and the newer one is cut off."""
    old = origin.commit({"old.md": ""})
    newer = [origin.commit({"newer.md": str(number)}) for number in range(4)][-1]
    origin.git("checkout", "--quiet", "-b", "feature", old)
    origin.git("merge", "--quiet", "--no-ff", "--message", "take over", newer)
    for number in range(3):
        origin.commit({"feature.md": str(number)})
    head = origin.git("rev-parse", "HEAD")
    origin.git("checkout", "--quiet", "main")
    tip = origin.commit({"main.md": ""})
    job.checkout("refs/heads/feature", 1)
    job.project.git("fetch", "--quiet", "--depth=1", "origin", tip)
    assert Clone(job.project.root).merge_base(head, tip) == newer == origin.git("merge-base", head, tip)


def test_head_checked_out_by_hand_fails_closed(job, origin):
    head, stale, _ = _pull_request(origin, "notes.py")
    job.checkout("refs/heads/feature", 1)
    job.project.git("remote", "set-url", "origin", f"file://{origin.root}/gone")
    assert job.run("pull_request", payloads.pull_request(head, stale)) == 3
    assert job.outputs["verdict"] == "unchecked"
    assert "the branch main is not in this clone and could not be fetched." in job.log
    assert "%0A        fetch-depth: 0%0A" in job.log


def test_complete_clone_needs_no_remote(job, origin):
    """As with fetch-depth: 0 and persist-credentials: false in a private repository."""
    head, stale, merged = _pull_request(origin, "notes.py")
    event = payloads.pull_request(head, stale)
    for ref, base in ((MERGE, merged), ("refs/heads/feature", stale)):
        job = Job(origin, job.folder)
        job.checkout(ref, None, ref.rpartition("/")[2])
        job.project.git("remote", "set-url", "origin", f"file://{origin.root}/gone")
        assert job.compares("pull_request", event)[0] == base
    assert job.compares("push", payloads.push(ZEROS, head, ref="refs/heads/feature")) == (stale, head)


def test_branch_without_a_common_history(job, origin):
    stale = origin.git("rev-parse", "HEAD")
    origin.git("checkout", "--quiet", "--orphan", "feature")
    head = origin.commit({"notes.py": ""})
    for depth, name in ((None, "complete"), (1, "shallow")):
        job = Job(origin, job.folder)
        job.checkout("refs/heads/feature", depth, name)
        assert job.run("pull_request", payloads.pull_request(head, stale)) == 3
        assert f"{head} has no commit in common with the branch main" in job.log


def test_fork_checked_out_by_hand(job, origin, tmp_path):
    """`origin` is the fork then, and its branch main is whatever the stranger made it."""
    stale = origin.git("rev-parse", "HEAD")
    origin.git("clone", "--quiet", "--bare", str(origin.root), str(tmp_path / "fork"))
    fork = Project(tmp_path / "fork-work", tmp_path / "home-fork")
    fork.git("pull", "--quiet", str(tmp_path / "fork"), "main")
    fork.git("checkout", "--quiet", "-b", "feature")
    head = fork.commit({"small.py": SMALL + "# breaks\n"})
    fork.git("branch", "--force", "main", "feature")
    assert fork.git("rev-parse", "main") == head, "seen from there, the pull request changes nothing"
    fork.git("config", "uploadpack.allowAnySHA1InWant", "true")
    url = f"file://{origin.root}"
    for depth in (None, 1):
        job = Job(fork, tmp_path)
        job.checkout("refs/heads/feature", depth, f"clone-{depth}")
        event = payloads.pull_request(head, stale, fork=payloads.repository("octocat/models"), base_url=url)
        assert job.run("pull_request", event) == 2, job.log
        assert "no-such-python" in job.log


def test_something_else_checked_out_in_a_pull_request(job, origin):
    head, stale, merged = _pull_request(origin, "notes.py")
    job.checkout("refs/heads/main")
    assert job.run("pull_request", payloads.pull_request(head, stale)) == 3
    assert "::error title=restore-guard%3A not checked::" in job.log
    assert f"the commit to check, {merged}, is neither the merge commit of the pull request nor its head" in job.log


def test_head_given_by_hand(job, origin):
    """The input decides what is checked, and with it the base."""
    head, stale, _ = _pull_request(origin, "notes.py")
    job.checkout(MERGE, 1)
    event = payloads.pull_request(head, stale)
    assert job.compares("pull_request", event, RESTORE_GUARD_HEAD=head) == (stale, head)


@pytest.mark.parametrize("depth", [None, 1])
def test_push(job, origin, depth):
    before = origin.git("rev-parse", "HEAD")
    origin.commit({"README.md": "1"})
    after = origin.commit({"README.md": "2"})
    job.checkout("refs/heads/main", depth)
    assert job.compares("push", payloads.push(before, after)) == (before, after)


def test_push_of_a_model(job, origin):
    before = origin.git("rev-parse", "HEAD")
    origin.commit({"small.py": SMALL + "#\n"})
    after = origin.commit({"README.md": "the last commit touches no model, the push does"})
    assert job.run("push", payloads.push(before, after)) == 2
    assert "no-such-python" in job.log


def test_first_push_of_the_default_branch_has_no_base(job, origin):
    """Nothing to compare with is no reason to be green: every model is built."""
    after = origin.git("rev-parse", "HEAD")
    assert job.run("push", payloads.push(ZEROS, after)) == 2
    assert "no-such-python" in job.log


@pytest.mark.parametrize("depth", [None, 1])
def test_first_push_of_another_branch_is_compared_with_where_it_left(job, origin, depth):
    head, stale, _ = _pull_request(origin, "notes.py")
    job.checkout("refs/heads/feature", depth)
    assert job.compares("push", payloads.push(ZEROS, head, ref="refs/heads/feature")) == (stale, head)


def test_first_push_of_a_tag_on_the_default_branch_has_no_base(job, origin):
    """It left the default branch nowhere: compared with itself, anything would be green."""
    after = origin.git("rev-parse", "HEAD")
    origin.commit({"README.md": "1"})
    origin.git("branch", "tagged", after)
    job.checkout("refs/heads/tagged", 1)
    assert job.run("push", payloads.push(ZEROS, after, ref="refs/tags/v1")) == 2
    assert "no-such-python" in job.log


@pytest.mark.parametrize("depth", [None, 1])
def test_forced_push(job, origin, depth):
    """What it replaced is on no branch, and mostly still to be had."""
    replaced = origin.commit({"README.md": "1"})
    origin.git("reset", "--quiet", "--hard", "HEAD~")
    after = origin.commit({"README.md": "2"})
    job.checkout("refs/heads/main", depth)
    assert job.compares("push", payloads.push(replaced, after, forced=True)) == (replaced, after)
    assert (job.project.root / ".git/shallow").exists() == (depth is not None)


@pytest.mark.parametrize("depth", [None, 1])
def test_forced_push_whose_base_is_gone(job, origin, depth):
    after = origin.commit({"README.md": "1"})
    job.checkout("refs/heads/main", depth)
    assert job.run("push", payloads.push(GONE, after, forced=True)) == 3
    assert job.outputs == {"before": "1", "verdict": "unchecked", "breaks": "0"}
    assert f"what the forced push replaced, {GONE}, is not in this clone and could not be fetched." in job.log
    assert "%0A    - uses: OWNER/restore-guard@v0%0A      with:%0A        base: main%0A" in job.log
    assert job.compares("push", payloads.push(GONE, after, forced=True), RESTORE_GUARD_BASE="main")[0] == after


def test_merge_group(job, origin):
    base = origin.git("rev-parse", "HEAD")
    head = origin.commit({"README.md": "1"})
    job.checkout("refs/heads/main", 1)
    assert job.compares("merge_group", payloads.merge_group(base, head)) == (base, head)


@pytest.mark.parametrize(
    ("event", "payload"), [("workflow_dispatch", payloads.workflow_dispatch()), ("schedule", payloads.schedule())]
)
def test_event_without_a_base_needs_the_input(job, origin, event, payload):
    assert job.run(event, payload) == 2
    assert f"the event {event} does not say what to compare with. Name the commit, tag or branch" in job.log
    assert "%0A    - uses: OWNER/restore-guard@v0%0A      with:%0A        base: main" in job.log
    base, head = origin.git("rev-parse", "HEAD"), origin.commit({"README.md": "1"})
    assert job.compares(event, payload, RESTORE_GUARD_BASE="HEAD~") == (base, head)
    assert job.compares(event, payload, RESTORE_GUARD_BASE="HEAD~", RESTORE_GUARD_HEAD="HEAD~") == (base, base)
    assert job.run(event, payload, RESTORE_GUARD_BASE="HEAD~", RESTORE_GUARD_MODELS="small nobody") == 2
    assert "nobody is not a configured model" in job.log


def test_named_base_in_a_shallow_clone(job, origin):
    base = origin.git("rev-parse", "HEAD")
    origin.git("branch", "release")
    origin.git("tag", "--annotate", "--message", "v1", "v1")
    head = origin.commit({"README.md": "1"})
    job.checkout("refs/heads/main", 1)
    event = payloads.workflow_dispatch()
    for name in ("release", "origin/release", "v1", base):
        assert job.compares("workflow_dispatch", event, RESTORE_GUARD_BASE=name) == (base, head)
    assert job.run("workflow_dispatch", event, RESTORE_GUARD_BASE="absent") == 3
    assert "the commit absent is not in this clone and could not be fetched." in job.log
    refs = job.project.git("for-each-ref")
    for name in ("--upload-pack=x", "+release", "release:refs/heads/forged", "a b", "main\nx"):
        assert job.run("workflow_dispatch", event, RESTORE_GUARD_BASE=name) == 2
    assert job.project.git("for-each-ref") == refs


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request_target", payloads.pull_request(GONE, GONE)),
        ("workflow_run", payloads.workflow_run(GONE)),
    ],
)
def test_events_that_run_strangers_code_with_secrets_are_refused(job, event, payload):
    for environ in ({}, {"RESTORE_GUARD_BASE": "HEAD"}, {"RESTORE_GUARD_SHARDS": "2"}):
        assert job.run(event, payload, **environ) == 2
        assert f"restore-guard does not run on {event}: it would run" in job.log
        assert job.outputs["verdict"] == "unchecked"
        assert "does not run on" in job.summary.read_text()


@pytest.mark.parametrize(
    "payload", ["{", "[]", "{}", '{"before": 3}', '{"before": ""}', '{"before": "main"}', "[" * 10**5]
)
def test_event_file_that_says_nothing(job, payload):
    assert job.run("push", payload) == 3
    assert "event" in job.log


def test_folder_of_a_monorepo(job, origin):
    (origin.root / "sub").mkdir()
    files = {f"sub/{name}": (origin.root / name).read_text() for name in ("small.py", "pyproject.toml")}
    origin.commit(files | {"sub/restore-manifest/small.json": '{"schema": 1, "model": "small"}'})
    origin.commit({"small.py": SMALL + "# of the other project\n"})
    event = payloads.push(origin.git("rev-parse", "HEAD~"), origin.git("rev-parse", "HEAD"))
    assert job.run("push", event, RESTORE_GUARD_WORKING_DIRECTORY="sub") == 0
    assert job.run("push", event) == 2
    assert "no-such-python" in job.log
    assert job.run("push", event, RESTORE_GUARD_WORKING_DIRECTORY="absent") == 2
    assert "absent: no such folder" in job.log
    for config in ("sub", "sub/pyproject.toml"):
        assert job.run("push", event, RESTORE_GUARD_CONFIG=config) == 0, job.log
    assert job.run("push", event, RESTORE_GUARD_WORKING_DIRECTORY="sub", RESTORE_GUARD_CONFIG="pyproject.toml") == 0
    (origin.root / "empty").mkdir()
    for config, said in (
        ("sub/restore-guard.toml", "the input config is"),
        ("sub/small.py", "the input config is"),
        ("empty", "does not configure restore-guard"),
    ):
        assert job.run("push", event, RESTORE_GUARD_CONFIG=config) == 2
        assert said in job.log
