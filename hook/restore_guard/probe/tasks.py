"""What the probe can be asked to do: {name: function}.

A function takes the job, a dict as `restore_guard.build.Job` gives it, and returns plain data or raises. It runs
in a process of its own, in which TensorFlow is imported. Loaded after TensorFlow, never before.
"""

from . import build, strategies
from .migrating import carry
from .readers import checkpoint_file
from .witnessing import trial

TASKS = {
    "build": build.run,
    "revive": build.revive,
    "save": trial.save,
    "restore": trial.restore,
    "read": checkpoint_file.read,
    "place": carry.place,
    "verify": carry.verify,
}


def attempts(job):
    """The strategies by which a job may be done, cheapest first; `job["strategy"]` tells which one it is."""
    if job["task"] == "build":
        order = strategies.order(job["restores"], job["load"])
        # The Keras of a Python of its own may be another one.
        other = (job["environ"] or job.get("flags")) and "tf1-saver" not in job["restores"]
        return [name for name in order if name != "graph"] if other else order
    if job["task"] in ("place", "verify"):
        return carry.strategies_of(job)
    return ["weightless", "eager"] if job["task"] == "revive" else ["eager"]
