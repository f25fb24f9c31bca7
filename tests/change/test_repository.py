"""git, with the real binary: the right files are seen, and nothing of the user's repository is written."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from restore_guard.change import lfs
from restore_guard.change.repository import Repository
from restore_guard.change.states import Change
from restore_guard.errors import UncheckedError, UsageError


@pytest.fixture(autouse=True)
def own_git(monkeypatch, tmp_path_factory):
    """No configuration of this machine, and no GIT_DIR of a hook that the tests themselves run in."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    settings = tmp_path_factory.mktemp("home") / "gitconfig"
    settings.write_text(
        "[user]\nname = T\nemail = t@example.org\n[init]\ndefaultBranch = main\n"
        '[protocol "file"]\nallow = always\n[safe]\ndirectory = *\n[advice]\ndetachedHead = false\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder, *arguments, **env):
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, env={**os.environ, **env})
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def write(folder, files):
    for path, content in files.items():
        target = Path(folder, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode())


def commit(folder, files, message="change"):
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    git(tmp_path, "init", "--quiet", str(folder))
    commit(folder, {"model.py": "v1", "data/größe ä b.txt": "umlaut", "moved.py": "line\n" * 30, "gone.py": "x"})
    return folder


def snapshot(folder):
    """All that a check may not change: index, refs, worktree list, stash, git's files and the work tree."""
    common = Path(folder, git(folder, "rev-parse", "--git-common-dir"))
    files = {
        path: path.read_bytes()
        for root in (Path(folder), common)
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and "objects" not in path.parts
    }
    listed = [git(folder, *words.split()) for words in ("worktree list", "stash list", "for-each-ref")]
    return files | dict(zip(("worktrees", "stash", "refs"), listed, strict=True))


def changed(before, after):
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


# --- discovery


def test_root_and_project_folder(project):
    write(
        project,
        {"deep/er/x": "", "deep/pyproject.toml": "[tool.restore-guard.models.m]", "b/pyproject.toml": ""},
    )
    write(project, {"deep/own/restore-guard.toml": ""})
    expected = {"": "", "deep": "deep", "deep/er": "deep", "deep/own": "deep/own", "b": ""}
    for path, folder in expected.items():
        with Repository(project / path) as repository:
            assert (repository.root, repository.project) == (project.resolve(), folder)


def test_current_folder_is_the_default(project, monkeypatch):
    monkeypatch.chdir(project / "data")
    assert Repository().root == project.resolve()


def test_no_repository(tmp_path):
    with pytest.raises(UsageError, match="not a git repository"):
        Repository(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        Repository(tmp_path / "nothing")


def test_bare_repository(tmp_path):
    git(tmp_path, "init", "--quiet", "--bare", "bare")
    with pytest.raises(UsageError, match="a bare repository or in a git directory, which has no work tree"):
        Repository(tmp_path / "bare")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_dubious_ownership_quotes_git(project, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for path in (project, project / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(UsageError, match=r"git config --global --add safe\.directory"):
        Repository(project)


# --- commits


def test_commit(project):
    sha = git(project, "rev-parse", "HEAD")
    git(project, "tag", "-a", "v1", "-m", "release")
    with Repository(project) as repository:
        for ref in ("HEAD", "main", sha, sha[:9], "v1"):
            side = repository.commit(ref)
            assert (side.kind, side.label) == ("commit", sha)
            assert side.tree == git(project, "rev-parse", "HEAD^{tree}")
        assert repository.head() == side


@pytest.mark.parametrize("ref", ["nowhere", "", "--all", "--output=x", "0" * 40, "HEAD~7", "HEAD:model.py", "a b"])
def test_unknown_ref(project, ref):
    with Repository(project) as repository, pytest.raises(UncheckedError, match="git fetch origin") as caught:
        repository.commit(ref)
    assert caught.value.exit_code == 3
    assert not (project / "x").exists()


def test_missing_commit_of_a_shallow_clone(project, tmp_path):
    commit(project, {"model.py": "v2"})
    git(tmp_path, "clone", "--quiet", "--depth=1", project.as_uri(), "shallow")
    with (
        Repository(tmp_path / "shallow") as repository,
        pytest.raises(UncheckedError, match="git fetch --unshallow"),
    ):
        repository.commit("HEAD~1")


def test_unborn_head(tmp_path):
    git(tmp_path, "init", "--quiet")
    with Repository(tmp_path) as repository:
        assert repository.head() is None
        assert repository.files(repository.index()) == []
    write(tmp_path, {"a.py": "1", "b.py": "2"})
    git(tmp_path, "add", "a.py")
    with Repository(tmp_path) as repository:
        assert repository.changes(None, repository.index()) == (Change("A", "a.py"),)
        assert repository.changes(None, repository.worktree()) == (Change("A", "a.py"), Change("A", "b.py"))


@pytest.mark.parametrize("content", ["1" * 40 + "\n", "", "ref: refs/heads/main\n"])
def test_broken_head_is_not_taken_for_an_unborn_one(project, content):
    write(project, {".git/refs/heads/main": content})
    with Repository(project) as repository, pytest.raises(UncheckedError, match="git fsck"):
        repository.head()


def test_tags(project):
    first = git(project, "rev-parse", "HEAD")
    git(project, "tag", "v1.9")
    second = commit(project, {"model.py": "v2"})
    git(project, "tag", "-a", "v1.10", "-m", "x")
    git(project, "tag", "test")
    git(project, "tag", "v-file", "HEAD:model.py")
    with Repository(project) as repository:
        tags = repository.tags(["v*", "*.9"])
        assert [(tag, side.label) for tag, side in tags] == [("v1.9", first), ("v1.10", second)]
        assert repository.read(tags[0][1], "model.py") == b"v1"
        assert repository.tags([]) == []


# --- reading


def test_read_and_files_of_each_side(project):
    write(project, {"model.py": "v2", "new.py": "staged"})
    git(project, "add", "model.py", "new.py")
    write(project, {"model.py": "v3", "untracked.py": "u", "ignored.py": "i", ".git/info/exclude": "ignored.py"})
    (project / "gone.py").unlink()
    with Repository(project) as repository:
        head, index, disk = repository.head(), repository.index(), repository.worktree()
        assert [repository.read(side, "model.py") for side in (head, index, disk)] == [b"v1", b"v2", b"v3"]
        assert [repository.read(side, "new.py") for side in (head, index, disk)] == [
            None,
            b"staged",
            b"staged",
        ]
        assert [repository.read(side, "gone.py") for side in (head, index, disk)] == [b"x", b"x", None]
        for side in (head, index, disk):
            assert repository.read(side, "data/größe ä b.txt") == b"umlaut"
            assert repository.read(side, "data") is None
            assert repository.read(side, "model.py/x") is None
            assert repository.files(side, "data") == repository.files(side, "data/") == ["data/größe ä b.txt"]
        common = ["data/größe ä b.txt", "model.py", "moved.py"]
        assert repository.files(head) == sorted([*common, "gone.py"])
        assert repository.files(index) == sorted([*common, "gone.py", "new.py"])
        assert repository.files(disk) == sorted([*common, "new.py", "untracked.py"])


def test_reader_is_relative_to_the_project(project):
    commit(project, {"sub/restore-guard.toml": "here", "sub/a/b.py": "b"})
    with Repository(project / "sub" / "a") as repository:
        for side in (repository.head(), repository.worktree()):
            read = repository.reader(side)
            assert [read(path) for path in ("restore-guard.toml", "a/b.py", "../model.py", "model.py")] == [
                *(b"here", b"b", b"v1", None)
            ]


def test_binary_and_empty_files(project):
    (project / "binary").write_bytes(bytes(range(256)) * 1000)
    commit(project, {"empty": "", "newline": "\n"})
    with Repository(project) as repository:
        head = repository.head()
        content = [repository.read(head, path) for path in ("binary", "empty", "newline", "model.py")]
        assert content == [bytes(range(256)) * 1000, b"", b"\n", b"v1"]


def test_many_reads_start_few_processes(project, monkeypatch):
    commit(project, {f"many/{number}.py": str(number) for number in range(200)})
    started = []
    popen = subprocess.Popen.__init__
    monkeypatch.setattr(
        subprocess.Popen, "__init__", lambda self, *a, **k: (started.append(a), popen(self, *a, **k))[1]
    )
    with Repository(project) as repository:
        head = repository.head()
        for number in range(200):
            assert repository.read(head, f"many/{number}.py") == str(number).encode()
    assert 0 < len(started) < 10


def test_submodules_are_no_files(project, tmp_path):
    git(tmp_path, "init", "--quiet", "other")
    commit(tmp_path / "other", {"x.py": "x"})
    git(project, "submodule", "--quiet", "add", str(tmp_path / "other"), "sub")
    with Repository(project) as repository:
        index = repository.index()
        assert "sub" not in repository.files(index) and repository.read(index, "sub") is None
        assert Change("A", "sub") in repository.changes(repository.head(), index)
    with Repository(project / "sub") as inside:
        assert inside.root == (project / "sub").resolve()
        assert inside.files(inside.index()) == ["x.py"]


# --- changes


def test_changes_between_commits(project):
    base = git(project, "rev-parse", "HEAD")
    git(project, "mv", "moved.py", "new name ü.py")
    git(project, "rm", "--quiet", "gone.py")
    (project / "model.py").unlink()
    (project / "model.py").symlink_to("added.py")
    commit(project, {"added.py": "a", "data/größe ä b.txt": "other"})
    with Repository(project) as repository:
        assert set(repository.changes(repository.commit(base), repository.head())) == {
            Change("A", "added.py"),
            Change("D", "gone.py"),
            Change("M", "data/größe ä b.txt"),
            Change("R", "new name ü.py", "moved.py"),
            Change("T", "model.py"),
        }
        assert repository.changes(repository.head(), repository.head()) == ()


def test_partially_staged_file(project):
    write(project, {"model.py": "staged"})
    git(project, "add", "model.py")
    write(project, {"model.py": "unstaged", "moved.py": "unstaged"})
    with Repository(project) as repository:
        head, index = repository.head(), repository.index()
        assert (index.kind, index.label) == ("index", "index")
        assert repository.changes(head, index) == (Change("M", "model.py"),)
        assert repository.read(index, "model.py") == b"staged"


def test_worktree_changes(project):
    write(project, {"model.py": "disk", "sub/new.py": "n", "x.log": "", ".gitignore": "*.log"})
    git(project, "mv", "moved.py", "renamed.py")
    git(project, "rm", "--quiet", "--cached", "data/größe ä b.txt")
    (project / "gone.py").unlink()
    git(project, "init", "--quiet", "nested")
    with Repository(project) as repository:
        assert set(repository.changes(repository.head(), repository.worktree())) == {
            Change("A", ".gitignore"),
            Change("A", "sub/new.py"),
            Change("D", "gone.py"),
            Change("M", "data/größe ä b.txt"),
            Change("M", "model.py"),
            Change("R", "renamed.py", "moved.py"),
        }


def test_worktree_changes_ignore_time_stamps_and_settings(project):
    os.utime(project / "model.py", (1, 1))
    write(project, {"data/größe ä b.txt": "other", "moved.py": "short"})
    for setting in (
        "diff.autoRefreshIndex=false",
        "diff.relative=true",
        "diff.external=false",
        "diff.renames=no",
    ):
        git(project, "config", *setting.split("="))
    before = snapshot(project)
    with Repository(project / "data") as repository:
        assert set(repository.changes(repository.head(), repository.worktree())) == {
            Change("M", "data/größe ä b.txt"),
            Change("M", "moved.py"),
        }
    assert not changed(before, snapshot(project))


def test_worktree_changes_since_an_older_commit(project):
    base = git(project, "rev-parse", "HEAD")
    commit(project, {"model.py": "v2", "gone.py": "y"})
    write(project, {"gone.py": "x"})
    with Repository(project) as repository:
        assert repository.changes(repository.commit(base), repository.worktree()) == (Change("M", "model.py"),)


def conflict(project):
    git(project, "checkout", "--quiet", "-b", "other")
    commit(project, {"model.py": "theirs"})
    git(project, "checkout", "--quiet", "main")
    commit(project, {"model.py": "ours"})
    subprocess.run(["git", "merge", "other"], cwd=project, capture_output=True)


def test_unresolved_conflict(project):
    conflict(project)
    with Repository(project) as repository:
        with pytest.raises(UncheckedError, match=r"(?s)resolve and git add.*model\.py"):
            repository.index()
        assert repository.changes(repository.head(), repository.worktree()) == (Change("M", "model.py"),)


# --- inside hooks

HOOK = """#!/bin/sh
exec "{python}" - <<'END'
import json, os
from restore_guard.change.repository import Repository
with Repository({path}) as repository:
    index = repository.index()
    report = {{
        "variable": os.environ.get("GIT_INDEX_FILE"),
        "files": {{path: repository.read(index, path).decode() for path in repository.files(index)}},
        "changes": [[c.status, c.path] for c in repository.changes(repository.head(), index)],
        "disk": [[c.status, c.path] for c in repository.changes(repository.head(), repository.worktree())],
    }}
    os.mkdir("{out}.d")
    repository.materialise(index, "{out}.d")
    report["written"] = open("{out}.d/model.py").read()
with open("{out}", "w") as file:
    json.dump(report, file)
END
"""


@pytest.fixture
def hook(project, tmp_path):
    """Install a real pre-commit hook; gives a function that commits and returns what the hook saw."""
    out = tmp_path / "seen.json"
    path = project / ".git" / "hooks" / "pre-commit"

    def run(folder, *arguments, start=""):
        write(project, {".git/hooks/pre-commit": HOOK.format(python=sys.executable, out=out, path=repr(start))})
        path.chmod(0o755)
        git(folder, "commit", "--quiet", "--message", "hooked", *arguments)
        return json.loads(out.read_text())

    return run


@pytest.mark.parametrize(
    ("arguments", "variable", "content"),
    [
        ((), ".git/index", "staged"),
        (("--all",), "index.lock", "disk"),
        (("--", "model.py"), "next-index-", "disk"),
    ],
)
@pytest.mark.parametrize("start", [".", "data"])
def test_index_in_a_commit_hook(project, hook, arguments, variable, content, start):
    write(project, {"model.py": "staged"})
    git(project, "add", "model.py")
    write(project, {"model.py": "disk", "moved.py": "line\n" * 29 + "disk"})
    seen = hook(project, *arguments, start=start)
    assert variable in seen["variable"]
    assert seen["files"]["model.py"] == seen["written"] == content
    assert ["M", "model.py"] in seen["changes"]
    assert (["M", "moved.py"] in seen["changes"]) == ("--all" in arguments)
    assert seen["disk"] == [["M", "model.py"], ["M", "moved.py"]]
    assert git(project, "show", "HEAD:model.py") == content
    staged_rest = git(project, "diff", "--cached", "--name-only")
    assert staged_rest == ""


@pytest.mark.parametrize("arguments", [(), ("--all",)])
def test_index_in_a_hook_of_a_linked_worktree(project, tmp_path, hook, arguments):
    linked = tmp_path / "linked"
    git(project, "worktree", "add", "--quiet", "-b", "linked", str(linked))
    write(project, {"model.py": "of the main work tree"})
    git(project, "add", "model.py")
    main = snapshot(project)[project / ".git" / "index"]
    write(linked, {"model.py": "linked"})
    git(linked, "add", "model.py")
    seen = hook(linked, *arguments, start="data")
    assert seen["files"]["model.py"] == seen["written"] == "linked"
    assert seen["changes"] == [["M", "model.py"]]
    assert (project / ".git" / "index").read_bytes() == main


# --- materialise


def tree_on_disk(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_materialise_writes_each_side_and_changes_nothing(project, tmp_path, monkeypatch):
    write(project, {"model.py": "stashed"})
    git(project, "stash")
    write(project, {"model.py": "staged", ".gitattributes": "gone.py export-ignore"})
    git(project, "add", "--all")
    write(project, {"model.py": "disk", "untracked.py": "u"})
    os.utime(project / "moved.py", (1, 1))
    for hook_name in ("post-checkout", "post-index-change", "reference-transaction"):
        write(project, {f".git/hooks/{hook_name}": f"#!/bin/sh\necho {hook_name} >> '{tmp_path}/hooks.log'\n"})
        (project / ".git" / "hooks" / hook_name).chmod(0o755)
    git(project, "config", "core.splitIndex", "true")
    git(project, "update-index", "--split-index")
    (tmp_path / "hooks.log").unlink()  # of the two commands above
    before = snapshot(project)
    with Repository(project) as repository:
        head, index = repository.head(), repository.index()
        repository.changes(head, repository.worktree())
        repository.files(repository.worktree())
        monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
        monkeypatch.setenv("GIT_DIR", "/nowhere")
        monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
        monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
        (tmp_path / "temporary").mkdir()
        for side, content in ((head, "v1"), (index, "staged")):
            folder = tmp_path / side.kind
            folder.mkdir()
            repository.materialise(side, folder)
            monkeypatch.delenv("GIT_OBJECT_DIRECTORY", raising=False)
            assert sorted(tree_on_disk(folder)) == repository.files(side)
            assert (folder / "model.py").read_text() == content
            assert not (folder / ".git").exists()
    for name in ("GIT_INDEX_FILE", "GIT_DIR"):
        monkeypatch.delenv(name)
    assert not changed(before, snapshot(project))
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "hooks.log").exists()


def test_materialise_is_complete_in_a_sparse_checkout(project, tmp_path):
    commit(project, {"kept/a.py": "a", "left out/b.py": "b"})
    git(project, "sparse-checkout", "set", "--cone", "kept")
    assert not (project / "left out").exists()
    before = snapshot(project)
    (tmp_path / "out").mkdir()
    with Repository(project) as repository:
        assert repository.changes(repository.head(), repository.worktree()) == ()
        assert repository.files(repository.index()) == repository.files(repository.head())
        repository.materialise(repository.index(), tmp_path / "out")
        assert sorted(tree_on_disk(tmp_path / "out")) == repository.files(repository.head())
    assert not changed(before, snapshot(project))


def test_materialise_from_a_partial_clone(project, tmp_path):
    git(project, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", project.as_uri(), "partial")
    (tmp_path / "out").mkdir()
    with Repository(tmp_path / "partial") as repository:
        repository.materialise(repository.head(), tmp_path / "out")
    assert tree_on_disk(tmp_path / "out")["model.py"] == "v1"


def test_materialise_overwrites_nothing(project, tmp_path):
    write(tmp_path, {"out/model.py": "mine"})
    with Repository(project) as repository, pytest.raises(UncheckedError, match=r"model\.py"):
        repository.materialise(repository.head(), tmp_path / "out")
    assert (tmp_path / "out" / "model.py").read_text() == "mine"


def test_materialise_writes_submodules_that_are_checked_out(project, tmp_path):
    git(tmp_path, "init", "--quiet", "other")
    first = commit(tmp_path / "other", {"x.py": "1", "a/restore-guard.toml": "", "b/restore-guard.toml": ""})
    for name in ("sub", "deinitialised"):
        git(project, "submodule", "--quiet", "add", str(tmp_path / "other"), name)
    commit(project, {})
    commit(tmp_path / "other", {"x.py": "2"})
    git(project / "sub", "pull", "--quiet")
    git(project, "add", "sub")
    git(project, "submodule", "--quiet", "deinit", "deinitialised")
    before = snapshot(project)
    with Repository(project) as repository:
        for side, content in ((repository.head(), "1"), (repository.index(), "2")):
            (tmp_path / side.kind).mkdir()
            repository.materialise(side, tmp_path / side.kind)
            assert (tmp_path / side.kind / "sub/x.py").read_text() == content
            assert list((tmp_path / side.kind / "deinitialised").iterdir()) == []
    assert not changed(before, snapshot(project))
    # A commit that was never fetched leaves the folder empty, and whatever needs it cannot be built.
    git(project, "update-index", "--cacheinfo", f"160000,{first[::-1]},sub")
    with Repository(project) as repository:
        (tmp_path / "unknown").mkdir()
        repository.materialise(repository.index(), tmp_path / "unknown")
    assert list((tmp_path / "unknown/sub").iterdir()) == []


def test_fill_writes_nothing_outside_of_its_folder(project, tmp_path):
    oid = hashlib.sha256(b"content").hexdigest()
    pointing = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 7\n"
    write(project, {f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}": "content"})
    write(
        tmp_path,
        {"mine.txt": pointing, "folder/data.txt": pointing, "folder/absent.txt": pointing.replace(oid, "0" * 64)},
    )
    (tmp_path / "folder/link.txt").symlink_to(tmp_path / "mine.txt")
    with Repository(project) as repository:
        paths = ["data.txt", "absent.txt", "link.txt", "../mine.txt", "nowhere.txt"]
        lfs.fill(tmp_path / "folder", paths, repository.objects())
    assert (tmp_path / "folder/data.txt").read_text() == "content"
    assert (tmp_path / "mine.txt").read_text() == pointing
    assert lfs.pointer(tmp_path / "folder/absent.txt") is not None


def test_the_only_configured_folder_is_the_project_of_a_hook(project):
    commit(project, {"a/b/pyproject.toml": "[tool.x]\n[tool.restore-guard.models.m]\n", "c/pyproject.toml": "[tool.x]"})
    assert Repository(project).project == "a/b"
    assert Repository(project / "c").project == "a/b"
    assert Repository(project).project_of(project / "c") == "c"
    commit(project, {"d/restore-guard.toml": ""})
    with pytest.raises(UsageError, match=r"configured in a/b, d: .*args: \[--project, a/b\]"):
        _ = Repository(project).project
    assert Repository(project / "d").project == "d"
