"""Commits from before the configuration, judged by today's: `check --config`. What is asked needs no build."""

import pytest
from signatures import module

from restore_guard.change.repository import Repository
from restore_guard.change.sides import Sides
from restore_guard.commands.check import select
from restore_guard.errors import UsageError
from restore_guard.promise.manifest import Manifest, dump

CONFIG = '[models.net]\nbuilder = "net:build"\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [("today.toml", CONFIG), ("pyproject.toml", CONFIG.replace("[models", "[tool.restore-guard.models"))],
)
def test_old_commits_by_todays_configuration(make_repository, tmp_path, name, content):
    project = make_repository(files={"net.py": "WIDTH = 1\n", "README.md": ""})
    first = project.git("rev-parse", "HEAD")
    second = project.commit({"net.py": "WIDTH = 2\n"})
    outside = tmp_path / "elsewhere" / name
    outside.parent.mkdir()
    outside.write_text(content)
    with Repository(project.root) as repository:
        sides = Sides(repository.commit(first), repository.commit(second))
        with pytest.raises(UsageError, match="not configured"):
            select(repository, sides)
        selection = select(repository, sides, settings=outside)
        assert (selection.chosen, selection.notes, selection.unread) == (["net"], [], False)
        assert selection.projects.base.config == selection.projects.head.config


def test_the_command(make_repository, tmp_path):
    promised = dump(Manifest("net", ("tf-checkpoint",), module(kernel=(2, 3)))).decode()
    project = make_repository(files={"net.py": "", "restore-manifest/net.json": promised})
    project.commit({"README.md": "other words\n"})
    (tmp_path / "today.toml").write_text(CONFIG)
    run = project.check("--base", "HEAD~1", "--head", "HEAD", "--config", str(tmp_path / "today.toml"))
    assert (run.code, run.model("net")["verdict"]) == (0, "unaffected"), run.stderr
    assert project.check("--config", str(tmp_path / "missing.toml")).code == 2
