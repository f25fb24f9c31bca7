"""Repositories in which git's settings, paths or objects are not as usual: the same answer, or a sentence."""

import shutil
import subprocess

import pytest

from restore_guard.change.repository import Repository
from restore_guard.errors import UncheckedError
from restore_guard.promise import releases

SETTINGS = {
    "color.ui": "always",
    "submodule.recurse": "true",
    "diff.ignoreSubmodules": "all",
    "diff.orderFile": "order",
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.external": "false",
    "diff.renames": "false",
    "core.quotePath": "false",
    "core.pager": "false",
    "status.showUntrackedFiles": "no",
    "log.showSignature": "true",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_of_the_user_changes_what_is_seen(make_repository, tmp_path, setting):
    inner = make_repository("inner", {"inner.py": "a = 1\n"})
    project = make_repository(files={"m.py": "a = 1\n" * 9, "é\n.py": "b = 1\n"})
    project.git("submodule", "--quiet", "add", str(inner.root), "sub")
    base = project.commit()
    project.git("-C", "sub", "commit", "--quiet", "--allow-empty", "--no-verify", "-m", "moved")
    project.git("mv", "m.py", "n.py")
    head = project.commit({"é\n.py": "b = 2\n"})
    project.write({"new.py": ""})

    def seen():
        with Repository(project.root) as repository:
            one, other = repository.commit(base), repository.commit(head)
            worktree = repository.worktree()
            return (
                repository.changes(one, other),
                repository.changes(one, worktree),
                repository.files(other),
                repository.files(worktree),
                repository.read(other, "é\n.py"),
                repository.parent(other),
            )

    before = seen()
    assert {change.path for change in before[0]} == {"sub", "n.py", "é\n.py"}
    project.git("config", setting, SETTINGS[setting])
    assert seen() == before


@pytest.mark.parametrize("name", ["with space", "line\nbreak", "sep\u2028arator", "-dash", "é", "quo'te\""])
def test_odd_paths(make_repository, name):
    project = make_repository(name, {"m.py": "a = 1\n"})
    with Repository(project.root) as repository:
        assert repository.root == project.root
        assert repository.read(repository.commit("HEAD"), "m.py") == b"a = 1\n"


def test_a_repository_of_the_other_hash(make_repository):
    project = make_repository()
    shutil.rmtree(project.root / ".git")
    project.git("init", "--quiet", "--object-format=sha256")
    base = project.commit({"m.py": "a = 1\n", "restore-manifest/m.json": "{}"})
    project.git("tag", "v1")
    head = project.commit({"m.py": "a = 2\n"})
    with Repository(project.root) as repository:
        one, other = repository.commit(base), repository.commit(head)
        assert repository.read(one, "m.py") == b"a = 1\n"
        assert [change.path for change in repository.changes(one, other)] == ["m.py"]
        assert repository.tags(["v*"]) == [("v1", one)]
        assert repository.read(repository.index(), "m.py") == b"a = 2\n"


def _object(project, name):
    return project.root / ".git/objects" / name[:2] / name[2:]


@pytest.mark.parametrize("damage", ["missing", "empty", "junk"])
def test_a_commit_without_its_files_is_not_the_work_tree(make_repository, damage):
    project = make_repository(files={"m.py": "a = 1\n"})
    place = _object(project, project.git("rev-parse", "HEAD^{tree}"))
    place.chmod(0o600)
    place.unlink() if damage == "missing" else place.write_bytes(b"" if damage == "empty" else b"junk")
    with Repository(project.root) as repository, pytest.raises(UncheckedError):
        repository.read(repository.commit("HEAD"), "m.py")


@pytest.mark.parametrize("part", ["^{commit}", "^{tree}", ":restore-manifest/m.json", "^{tree}:restore-manifest"])
def test_a_release_that_cannot_be_read_is_not_absent(make_repository, part):
    project = make_repository(files={"restore-manifest/m.json": '{"a": 1}'})
    project.git("tag", "-a", "v1", "-m", "first")
    lost = project.git("rev-parse", f"v1{part}")
    project.commit({"restore-manifest/m.json": '{"a": 2}', "more": ""})
    project.git("tag", "v2")
    (_object(project, lost)).unlink()
    with Repository(project.root) as repository:
        found = releases.read(repository, ["v*"], ["m"])
    # The second is no manifest either: it is told as well, and neither hides the other.
    assert [why.partition(":")[0] for why in found.unread["m"]] == ["v1", "v2"]
    assert "missing" in found.unread["m"][0] or "failed" in found.unread["m"][0]


def test_a_tag_of_a_file_is_no_release(make_repository):
    project = make_repository(files={"m.py": "a = 1\n"})
    project.git("tag", "v-file", project.git("rev-parse", "HEAD:m.py"))
    project.git("tag", "v-tree", project.git("rev-parse", "HEAD^{tree}"))
    project.git("tag", "v1")
    with Repository(project.root) as repository:
        assert [tag for tag, _ in repository.tags(["v*"])] == ["v1"]


def test_what_lies_outside_is_no_file_of_the_repository(make_repository):
    project = make_repository(files={"m.py": ""})
    (project.root.parent / "outside").write_text("mine")
    with Repository(project.root) as repository:
        for path in ("../outside", str(project.root.parent / "outside")):
            assert repository.read(repository.worktree(), path) is None


def test_git_itself_is_started_in_one_place():
    from pathlib import Path

    import restore_guard

    package = Path(restore_guard.__file__).parent
    starting = [path.name for path in (package / "change").glob("*.py") if "subprocess." in path.read_text()]
    assert starting == ["git_command.py"]
    assert subprocess.run(["git", "--version"], capture_output=True).returncode == 0
