"""Models shared out among parallel jobs, as a matrix of GitHub Actions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import median


def share(seconds: Mapping[str, float | None], shards: int) -> list[list[str]]:
    """Returns the models of each job, none of them empty: the longest build goes to the job that has least to do.

    Args:
        seconds: {model: how long its build took, None where that is not known}; the order is kept within a job.
    """
    known = [value for value in seconds.values() if value is not None]
    typical = median(known) if known else 1.0
    costs = {name: typical if value is None else value for name, value in seconds.items()}
    jobs: list[list[str]] = [[] for _ in range(min(shards, len(costs)))]
    loads = [0.0] * len(jobs)
    for name in sorted(costs, key=lambda name: -costs[name]):
        least = min(range(len(jobs)), key=lambda job: (loads[job], len(jobs[job])))
        jobs[least].append(name)
        loads[least] += costs[name]
    order = list(seconds)
    return [sorted(job, key=order.index) for job in jobs]


def matrix(jobs: Sequence[Sequence[str]]) -> str:
    """Returns the matrix in one line; names of models have no blanks."""
    return json.dumps(
        {"include": [{"shard": number, "models": " ".join(job)} for number, job in enumerate(jobs, 1)]},
        separators=(",", ":"),
    )
