"""A real restore, and what each variable's value afterwards tells of it."""

import numpy as np

from . import calls, cuts, filling

_ERROR_LENGTH = 2000


def observe(variables, before, saved, hidden=None, parts=None):
    """Tell from the values where each variable got its own from.

    In: the (path, variable) pairs after the load; what they held before it, {} if they were not there
    yet; the saved values; those that the file may hold in a form that is not known; `cuts.of` the saved variables.
    Out: an Observation: {"assigned": {model path: saved path}, "initial": [model paths that kept their
    value], "converted": {model path: [saved paths that its elements are taken from]}, "unused": [saved paths that no
    variable got], "changed_otherwise": [the other model paths]}; random-seed state is in none of them.
    """
    sources = _Sources({**(hidden or {}), **saved}, parts or {})
    observation = {"assigned": {}, "initial": [], "converted": {}, "unused": [], "changed_otherwise": []}
    changed = {}
    for path, variable in filling.without_seed_state(variables):
        value = filling.read(variable)
        source = sources.find(path, value, cuts.of_one(variable) if parts else None)
        if path in before and filling.digest(value) == filling.digest(before[path]):
            observation["initial"].append(path)
        elif source is not None:
            observation["assigned"][path] = source
        elif path in before:
            changed[path] = value
        else:
            observation["initial"].append(path)
    observation["converted"] = sources.rearranged(changed)
    observation["changed_otherwise"] = [path for path in changed if path not in observation["converted"]]
    observation["unused"] = sorted(set(saved) - sources.used)
    return observation


class _Sources:
    """Finds a saved variable by its value, compared in the type of the variable that may hold it."""

    def __init__(self, saved, parts):
        self._saved, self._parts = saved, parts
        self._by_dtype = {}
        self.used = set()

    def find(self, path, value, cut=None):
        """The saved path that `value` came from, the same path first, or None; `cut` is the variable's in a graph."""
        candidates = self._index(value.dtype).get(filling.digest(value), [])
        if value.dtype.kind in "iub":  # many fractions are the same whole number
            candidates = [name for name in candidates if name == path or self._saved[name].dtype.kind in "iub"]
        if not candidates and cut is not None:
            candidates = cuts.covering(value, cut, self._parts, self._saved)
        if not candidates:
            return None
        self.used.update(candidates)
        return path if path in candidates else candidates[0]

    def rearranged(self, changed):
        """Whose elements have been put together otherwise: split, joined, transposed; {path: their saved paths}.

        In: {path: value} of what got no saved value as a whole.
        """
        found = {}
        for path, value in changed.items():
            free = {name: value for name, value in self._saved.items() if name not in self.used}
            if parts := _made_of(value, free):
                found[path] = parts
        made = [changed[path].ravel() for path in found]
        for name in {name for parts in found.values() for name in parts}:
            if np.isin(self._saved[name], np.concatenate(made)).all():
                self.used.add(name)
        return found

    def _index(self, dtype):
        if dtype not in self._by_dtype:
            index = self._by_dtype[dtype] = {}
            for path, value in self._saved.items():
                if _comparable(value.dtype, dtype):
                    with np.errstate(all="ignore"):
                        cast = value.astype(dtype)
                    index.setdefault(filling.digest(cast), []).append(path)
        return self._by_dtype[dtype]


def _made_of(value, saved):
    """The saved variables that the elements of a value are those of, [] where one is from elsewhere."""
    if value.dtype.kind != "f" or value.dtype.itemsize < 4 or value.size < 2:
        return []  # too few different values to tell
    alike = {path: other.ravel() for path, other in saved.items() if other.dtype == value.dtype}
    parts = [path for path, other in alike.items() if np.isin(value, other).any()]
    return parts if parts and np.isin(value, np.concatenate([alike[path] for path in parts])).all() else []


def _comparable(one, other):
    """Whether a cast between two dtypes makes sense: texts and complex numbers only match their own."""
    return all((one.kind in kinds) == (other.kind in kinds) for kinds in ("OSU", "c"))


def outcome(observation, error=None):
    """`raises`, `partial` or `restores` for an Observation and the exception of the load, if any."""
    if error is not None:
        return "raises"
    lost = observation["initial"] or observation["unused"] or observation["changed_otherwise"]
    return "partial" if lost else "restores"


def error_text(error):
    """What a user would read of an exception, cut to a length that fits a report: Keras tells the cause last.

    TensorFlow lists where each operation of a graph was made: those lines are left out.
    """
    lines = [line for line in f"{type(error).__name__}: {error}".splitlines() if not line.startswith("  File ")]
    text = "\n".join(lines)
    half = _ERROR_LENGTH // 2
    return text if len(text) <= _ERROR_LENGTH else f"{text[:half]} ... {text[-half:]}"


def restore(root, named_variables, load, saved, hidden=None, parts=None):
    """Really restore a checkpoint into a fresh build.

    In: the root of the build, None where loading makes it; a function from a root to its (path, variable) pairs; a
    function that loads and returns the root that has the values then; the saved values, and what `observe` takes as
    hidden and parts.
    Out: that root, and the Observation with "outcome" and "error" (None unless it raises).
    Errors: calls.Unsupported; what the load raises is an outcome.
    """
    before = filling.fill(named_variables(root), filling.MODEL_SEED) if root is not None else {}
    error = None
    try:
        loaded = load()
    except calls.Unsupported:
        raise
    except Exception as raised:  # any exception of the framework is what is being measured
        loaded, error = root, raised
    found = named_variables(loaded) if loaded is not None else []
    observation = observe(found, before if loaded is root else {}, saved, hidden, parts)
    text = None if error is None else error_text(error)
    return loaded, {"outcome": outcome(observation, error), "error": text, **observation}
