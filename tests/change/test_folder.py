"""A folder without git, in the place of a repository."""

import pytest

from restore_guard.change.folder import Folder, opened
from restore_guard.change.repository import Repository
from restore_guard.errors import UncheckedError


def test_a_folder_is_its_files_and_has_no_history(tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/net.py").write_text("x = 1\n")
    with opened(tmp_path) as folder:
        assert isinstance(folder, Folder)
        side = folder.worktree()
        assert (folder.root, folder.project, folder.folder(side)) == (tmp_path, "", "")
        assert folder.files(side) == ["pkg/net.py"] and folder.files(side, "pkg") == ["pkg/net.py"]
        assert folder.reader(side)("pkg/net.py") == b"x = 1\n" and folder.reader(side)("pkg/other.py") is None
        assert folder.head() is None and [*folder.versions("pkg/net.py")] == []
        assert folder.dated_tags() == folder.untracked() == folder.ignored(["*"]) == []
        with pytest.raises(UncheckedError, match="is in no git repository"):
            folder.version()


def test_a_repository_stays_one(make_repository):
    project = make_repository(files={"pkg/net.py": ""})
    with opened(project.root / "pkg") as repository:
        assert type(repository) is Repository and repository.root == project.root
