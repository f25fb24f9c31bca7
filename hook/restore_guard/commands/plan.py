"""Models shared out among parallel jobs, as a matrix of GitHub Actions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import median

from restore_guard.building import cache
from restore_guard.building.workshop import model_job
from restore_guard.change.run import Run
from restore_guard.config import Config
from restore_guard.folders import cache_folder


def seconds(run: Run, config: Config, names: Sequence[str]) -> dict[str, float | None]:
    """{model: how long its build took when it was last made, None where the cache does not know}."""
    kept = cache_folder(run.environ)
    return {name: cache.seconds(kept, model_job(config, name, run.folder)) for name in names}


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
    order = {name: number for number, name in enumerate(seconds)}
    return [sorted(job, key=order.__getitem__) for job in jobs]


def text(jobs: Sequence[Sequence[str]], seconds: Mapping[str, float | None]) -> str:
    """Returns one line a job."""
    if not jobs:
        return "No model is affected: there is nothing to do."
    lines = []
    for number, job in enumerate(jobs, 1):
        known = [took for took in map(seconds.__getitem__, job) if took is not None]
        past = f" ({sum(known):.1f} s when last built)" if known else ""
        lines.append(f"shard {number}: {' '.join(job)}{past}")
    return "\n".join(lines)


def as_json(jobs: Sequence[Sequence[str]], seconds: Mapping[str, float | None]) -> str:
    """Returns the jobs and what is known of each model."""
    models = [
        {"name": name, "shard": number, "seconds": seconds[name]} for number, job in enumerate(jobs, 1) for name in job
    ]
    return json.dumps({"schema": 1, "shards": len(jobs), "models": models}, indent=2)


def matrix(jobs: Sequence[Sequence[str]]) -> str:
    """Returns the matrix in one line; names of models have no blanks."""
    return json.dumps(
        {"include": [{"shard": number, "models": " ".join(job)} for number, job in enumerate(jobs, 1)]},
        separators=(",", ":"),
    )
