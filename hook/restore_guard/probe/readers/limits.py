"""Limits of what reading a file may take: one that was made to mislead asks for any amount. On POSIX alone."""

import os

try:
    import resource
except ImportError:
    resource = None

# What TensorFlow's threads and its allocator set aside without using it counts as well: some for each processor.
_ROOM, _OF_A_PROCESSOR = 8 << 30, 1 << 28


def limit(size):
    """Lets this process have no more than a few times the size of what it reads, in memory and in a file of its own.

    Args:
        size: bytes.
    """
    if resource is None:
        return
    most = _ROOM + _OF_A_PROCESSOR * (os.cpu_count() or 1) + 4 * size
    _lower(resource.RLIMIT_FSIZE, most)
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):  # not on Linux, where memory that is only set aside is not told
        return
    _lower(resource.RLIMIT_AS, now + most)


def _lower(kind, most):
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(kind, (most, hard))
