"""How many builds may run at once: what this process is allowed to use, not what the machine has."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def count() -> int:
    """The processors that this process may use: those it is bound to, and what its control groups allow."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        bound = os.process_cpu_count() or 1
    else:
        bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min([bound, *_quotas()])))


def _quotas() -> Iterator[float]:
    """The shares of all control groups around this process, in processors (cgroups(7): cpu.max, cpu.cfs_quota_us)."""
    try:
        lines = _OWN.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = _ROOT / "cpu" if controllers else _ROOT
        # Inside a container the own group may be mounted at the top, whatever its path outside.
        group = top / path.lstrip("/")
        for folder in dict.fromkeys([group, *group.parents, top]):
            if folder.is_relative_to(top) and (quota := _quota(folder)) is not None:
                yield quota


def _quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        return int(quota) / int(period) if quota != "max" and int(quota) > 0 else None
    except (OSError, ValueError):
        return None
