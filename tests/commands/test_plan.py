"""Models shared out among jobs."""

import json
import time

import msgspec
import pytest
from conftest import settings
from signatures import module

from restore_guard.build import Job
from restore_guard.building import cache
from restore_guard.commands.plan import matrix, share
from restore_guard.promise import manifest
from restore_guard.promise.manifest import Manifest


def test_matrix():
    assert matrix([["a", "b"], ["c"]]) == '{"include":[{"shard":1,"models":"a b"},{"shard":2,"models":"c"}]}'
    assert matrix([]) == '{"include":[]}'


@pytest.mark.parametrize(("models", "shards", "jobs"), [(0, 8, 0), (1, 8, 1), (3, 8, 3), (600, 256, 256), (7, 1, 1)])
def test_no_job_is_empty(models, shards, jobs):
    names = [f"m{number}" for number in range(models)]
    shared = share(dict.fromkeys(names), shards)
    assert len(shared) == jobs and all(shared)
    assert sorted(name for job in shared for name in job) == sorted(names)
    assert len(json.loads(matrix(shared))["include"]) == jobs


def test_many_models_are_shared_out_at_once():
    begin = time.process_time()
    assert sum(map(len, share({f"m{number}": None for number in range(80_000)}, 4))) == 80_000
    assert time.process_time() - begin < 3


def test_balanced_by_time():
    # Where nothing is recorded, a build is taken for one of the usual length: 4.5 here.
    assert share({"small": 1, "huge": 10, "unknown": None, "middle": 4, "other": 5}, 2) == [
        ["small", "huge"],
        ["unknown", "middle", "other"],
    ]
    assert share({"a": 3, "b": 2, "c": 2, "d": 2, "e": 1}, 2) == [["a", "d"], ["b", "c", "e"]]


@pytest.fixture
def project(make_repository):
    """Three models, of which only the files are there: a plan builds nothing."""
    models = {name: f'builder = "{name}:build"' for name in ("a", "b", "c")}
    files = {f"{name}.py": "import shared\n" for name in models} | {"shared.py": ""}
    for name in models:
        promised = msgspec.structs.replace(module(w=(2,)), sources=(f"{name}.py", "shared.py"))
        content = manifest.dump(Manifest(name, ("tf-checkpoint",), promised))
        files[f"restore-manifest/{name}.json"] = content.decode()
    return make_repository(files=files | {"pyproject.toml": settings("no/such/python", models)})


def test_command(project):
    assert json.loads(project.run("plan", "--shards", "2", "--format", "matrix").stdout) == {"include": []}
    assert project.run("plan", "--shards", "2").stdout == "No model is affected: there is nothing to do.\n"
    project.edit("b.py", "import shared", "import shared  # now")
    assert project.run("plan", "--shards", "2", "--format", "matrix").stdout == matrix([["b"]]) + "\n"
    project.commit({"shared.py": "x = 1\n"})
    run = project.run("plan", "--shards", "2", "--base", "HEAD~", "--head", "HEAD", "--format", "matrix")
    assert (run.code, len(json.loads(run.stdout)["include"])) == (0, 2)
    assert project.run("plan", "--shards", "257").code == 2
    assert project.run("plan", "--shards", "2", "--staged", "--worktree").code == 2


def test_command_knows_how_long_builds_took(project, tmp_path):
    for name, seconds in {"a": 1.5, "b": 1.0, "c": 9.0}.items():
        job = Job("any", tmp_path, f"{name}:build")
        cache._note_seconds(tmp_path / "cache", job, seconds)
    arguments = ("plan", "--shards", "2", "--all", "--format")
    kept = {"RESTORE_GUARD_CACHE": str(tmp_path / "cache")}
    assert project.run(*arguments, "matrix", **kept).stdout == matrix([["c"], ["a", "b"]]) + "\n"
    assert "shard 2: a b (2.5 s when last built)" in project.run(*arguments, "text", **kept).stdout
    models = json.loads(project.run(*arguments, "json", **kept).stdout)["models"]
    assert {"name": "c", "shard": 1, "seconds": 9.0} in models
