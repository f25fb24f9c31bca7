"""Automatic names of layers, which count what was created before: every build is to begin where the first one did."""

import importlib
import sys

from . import frameworks


class Names:
    """The counters of each Keras of this process, as they are now."""

    def __init__(self):
        self._kept = [(counters, _copied(counters)) for counters in _counters()]

    def reset(self):
        """Sets all counters back."""
        for counters, kept in self._kept:
            counters.clear()
            counters.update(_copied(kept))


def afresh():
    """Names begin as in a process that has built nothing: a program may load a `.keras` file and call no builder."""
    for counters in _counters():
        counters.clear()


def _counters():
    """Yields the dicts and sets that count names.

    Source: keras/src/utils/naming.py (Keras 3); keras/src/backend.py, `get_uid`, `observe_object_name` (Keras 2).
    """
    for package in ("keras", "tf_keras"):
        module = sys.modules.get(package)
        if module is None or not hasattr(module, "layers"):
            continue
        if module.__version__.startswith("3"):
            state = importlib.import_module("keras.src.backend.common.global_state")
            module.backend.get_uid("restore_guard")  # makes the counter where there is none yet
            yield state.get_global_attribute("object_name_uids")
        else:
            backend = importlib.import_module(f"{frameworks.code_of(package)}.backend")
            yield backend.PER_GRAPH_OBJECT_NAME_UIDS
            yield backend.OBSERVED_NAMES


def _copied(counters):
    if isinstance(counters, set):
        return set(counters)
    return {key: value.copy() if hasattr(value, "copy") else value for key, value in counters.items()}
