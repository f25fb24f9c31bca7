"""Models shared out among jobs."""

import json

import pytest

from restore_guard.plan import matrix, share


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


def test_balanced_by_time():
    # Where nothing is recorded, a build is taken for one of the usual length: 4.5 here.
    assert share({"small": 1, "huge": 10, "unknown": None, "middle": 4, "other": 5}, 2) == [
        ["small", "huge"],
        ["unknown", "middle", "other"],
    ]
    assert share({"a": 3, "b": 2, "c": 2, "d": 2, "e": 1}, 2) == [["a", "d"], ["b", "c", "e"]]
