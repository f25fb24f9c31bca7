"""Times what a check consists of once TensorFlow is imported: each step is a process that is forked for it.

    python bench_steps.py PYTHON FOLDER ROUNDS

Prints {step: median of the seconds}, of the model `small:build` in the folder.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from restore_guard.build import Job
from restore_guard.building import probing
from restore_guard.building.witnesses import saved_files

PATHS = ("tf-checkpoint", "keras-weights")


def main(python: Path, root: Path, rounds: int) -> dict[str, float]:
    taken = defaultdict(list)
    with probing.Probe(python) as probe:

        def do(step: str, job: Job) -> Any:
            begin = time.perf_counter()
            answer = probe.run([job])[job.id]
            taken[step].append(time.perf_counter() - begin)
            return answer

        def job(task: str, **options: object) -> Job:
            return Job(task, root, "small:build", restores=PATHS, task=task, options=options)

        for _ in range(rounds + 1):
            with tempfile.TemporaryDirectory() as folder:
                do("a process that does nothing", Job("none", root, "small:nothing", task="none"))
                do("a build", job("build"))
                files, _ = saved_files(do("a real save by 2 restore paths", job("save", paths=PATHS, folder=folder)))
                loads = {"files": files, "folder": folder, "package": "keras", "rivals": {"likely": [], "possible": []}}
                do("a real restore by both, outputs compared", job("restore", **loads))
    return {step: statistics.median(seconds[1:]) for step, seconds in taken.items()}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
