"""Many checks at once, and many in a row: none disturbs another, and nothing grows."""

import concurrent.futures
import os
import sys

import pytest
from conftest import Project
from fault_tables import CONFIG, ONE_COMMIT
from signatures import module

from restore_guard.change.repository import Repository
from restore_guard.change.run import Run
from restore_guard.change.sides import Sides
from restore_guard.commands.check import check
from restore_guard.promise import manifest
from restore_guard.promise.manifest import Manifest

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read on Linux")


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project", tmp_path / "home")
    manifest.write(project.root / "restore-manifest/m.json", Manifest("m", ("tf-checkpoint",), module(a=(2,))))
    project.commit({"pyproject.toml": CONFIG, "m.py": "a = 1\n", "README.md": "0"})
    project.commit({"README.md": "1"})
    return project


@pytest.mark.parametrize("number", [4, pytest.param(20, marks=pytest.mark.long)])
def test_checks_at_once(project, number):
    before = project.git("status", "--porcelain")
    with concurrent.futures.ThreadPoolExecutor(number) as pool:
        runs = list(pool.map(lambda _: project.run(*ONE_COMMIT), range(number)))
    assert [run.code for run in runs] == [0] * number, runs[0].stderr
    assert {run.stdout for run in runs} == {runs[0].stdout}
    assert project.git("status", "--porcelain") == before
    assert list(project.temporary.iterdir()) == []


@pytest.mark.parametrize("number", [6, pytest.param(200, marks=pytest.mark.long)])
def test_commits_in_a_row(project, number):
    """By commands in processes of their own, as a hook runs."""
    kept, memory = [], []
    for count in range(number):
        project.commit({"README.md": f"{count} more"})
        assert project.run(*ONE_COMMIT).code == 0
        kept.append(sum(path.stat().st_size for path in project.temporary.parent.rglob("*") if path.is_file()))
        memory.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
    assert kept[-1] == kept[0], "something is left for each check"
    assert memory[-1] - memory[0] < 30
    assert list(project.temporary.iterdir()) == []


@pytest.mark.parametrize("number", [6, pytest.param(200, marks=pytest.mark.long)])
def test_no_descriptor_is_left_open(project, number):
    """By checks in one process, as whoever imports the package does them."""
    opened = []
    for _ in range(number):
        with Repository(project.root) as repository:
            sides = Sides(repository.commit("HEAD~"), repository.commit("HEAD"))
            assert check(Run(repository, project.environ), sides).exit_code == 0
        opened.append(len(os.listdir("/proc/self/fd")))
    assert opened[1:] == opened[:1] * (number - 1)
