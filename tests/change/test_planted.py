"""A repository that borrows the user's objects: the head is the files on disk, and no data is copied."""

import subprocess

import pytest

from restore_guard.change import planted
from restore_guard.change.repository import Repository


def listed(folder, commit):
    done = subprocess.run(["git", "ls-tree", "-r", "--name-only", commit], cwd=folder, capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("committed", [True, False])
def test_commits(make_repository, tmp_path, object_format, committed):
    project = make_repository()
    if object_format == "sha256":
        subprocess.run(["rm", "-r", project.root / ".git"], check=True)
        project.git("init", "--quiet", "--object-format=sha256")
    files = {"m.py": "a = 1\n", "data.bin": "data" * 10_000, "gone.txt": "", "p/config.json": "{}", "p/n.py": ""}
    if committed:
        project.commit(files)
    else:
        project.write(files)
        project.git("add", "m.py")
    project.write({"m.py": "a = 2\n", "p/config.json": '{"a": 1}', "new.py": "", "more.bin": "x" * 10_000})
    (project.root / "gone.txt").unlink()
    before = project.snapshot()
    copy = tmp_path / "copy"
    copy.mkdir()
    with Repository(project.root) as repository:
        needed = lambda path: path.endswith(".py") or path == "p/config.json"  # noqa: E731 - one line
        base, head = planted.commits(repository, copy, needed, {"p/manifest.json": b"promised"})
    assert project.snapshot() == before
    tracked = ["data.bin"] if committed else []
    assert listed(copy, head) == sorted(["m.py", "new.py", "p/config.json", "p/n.py", *tracked])
    assert listed(copy, base) == sorted(["p/config.json", "p/manifest.json", *tracked])
    with Repository(copy) as borrowing:
        assert borrowing.read(borrowing.commit(head), "m.py") == b"a = 2\n"
        assert borrowing.read(borrowing.commit(base), "p/manifest.json") == b"promised"
    # Nothing of the user's is there but what was never committed.
    assert [path.name for path in copy.iterdir()] == [".git"]
    assert sum(path.stat().st_size for path in (copy / ".git/objects").rglob("*") if path.is_file()) < 10_000
