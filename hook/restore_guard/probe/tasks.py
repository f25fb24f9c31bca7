"""What the probe can be asked to do: {name: function}.

A function takes the job, a dict as `restore_guard.builds.Job` gives it, and returns plain data or raises. It runs
in a process of its own, in which TensorFlow is imported. Loaded after TensorFlow, never before.
"""

from . import build, strategies

TASKS = {
    "build": build.run,
}


def attempts(task):
    """The strategies by which a task may be run, cheapest first; `job["strategy"]` tells which one it is."""
    return strategies.order() if task == "build" else ["eager"]
