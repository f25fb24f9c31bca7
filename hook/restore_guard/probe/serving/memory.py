"""How much memory is left to this process: of the machine, and of what its control groups allow. Linux only."""

import contextlib
import os

_ROOT, _OWN, _MACHINE = "/sys/fs/cgroup", "/proc/self/cgroup", "/proc/meminfo"
_UNLIMITED = 1 << 60


_ENOUGH = 1 << 30


def is_low():
    """Whether less than a tenth is left, and less than a gigabyte."""
    return any(left < min(limit / 10, _ENOUGH) for left, limit in _places())


def _places():
    """(bytes left, bytes at most) of the machine and of every control group around this process."""
    with contextlib.suppress(OSError, ValueError, LookupError):
        with open(_MACHINE) as file:
            told = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in file)}
        yield told["MemAvailable"], told["MemTotal"]
    for folder in _groups():
        with contextlib.suppress(OSError, ValueError, LookupError):
            yield _of_group(folder)


def _groups():
    """The folders of the control groups that limit memory, of either version (cgroups(7))."""
    try:
        with open(_OWN) as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        top = os.path.join(_ROOT, "memory") if controllers else _ROOT
        # Inside a container the own group may be mounted at the top, whatever its path outside.
        folder = os.path.normpath(os.path.join(top, path.lstrip("/")))
        while folder.startswith(top):
            yield folder
            folder = os.path.dirname(folder)


def _of_group(folder):
    """(bytes left, bytes at most); pages of files that were not used lately can be given back at once."""
    second = os.path.exists(os.path.join(folder, "memory.max"))
    names = ("memory.max", "memory.current") if second else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    limit, used = (_read(folder, name) for name in names)
    if limit == "max" or int(limit) >= _UNLIMITED:
        raise ValueError("this group has no limit")
    told = dict(line.split() for line in _read(folder, "memory.stat").splitlines())
    spare = int(told["inactive_file" if second else "total_inactive_file"])
    return max(0, int(limit) - int(used) + spare), int(limit)


def _read(folder, name):
    with open(os.path.join(folder, name)) as file:
        return file.read().strip()
