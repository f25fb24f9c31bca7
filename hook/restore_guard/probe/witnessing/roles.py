"""Which value belongs in which variable, told by what the model computes with it."""

import tensorflow as tf

from . import filling

# Each costs a call of the model.
_MOST_DOUBTS = 100


def find(held, assigned, rivals, saved):
    """Tells from the outputs which value belongs where.

    Where the outputs are equal, every value is in its place, whatever it is called. Where they are not, but would be
    if the values went where a rival puts them, that is their place. Only of layers that the outputs depend on. The
    model has its values again afterwards.

    Args:
        held: the `outputs.Held` of the model.
        assigned: {variable: the saved one whose value it got}.
        rivals: other assignments that might be meant: {"likely", "possible"}, the latter only where outputs differ.
        saved: {saved path: value}.

    Returns:
        {variable: the saved one whose value belongs in it}, of those that might be doubted.
    """
    trial = _Trial(held, assigned, saved)
    is_same = trial.is_right(assigned)
    told = rivals["likely"] if is_same else [*rivals["likely"], *rivals["possible"]]
    found = [{path: rival.get(path, source) for path, source in assigned.items()} for rival in told]
    found = [rival for rival in found if rival != assigned]
    right = assigned if is_same else next(filter(trial.is_right, found), None)
    if right is None or not found:
        trial.is_right(assigned)
        return {}
    others = {path: rival[path] for rival in [assigned, *found] for path in assigned if rival[path] != right[path]}
    doubtful = list(others.items())[:_MOST_DOUBTS]
    felt = {path for path, other in doubtful if not trial.is_right({**right, path: other})}
    trial.is_right(assigned)
    # A bias may have no effect: its place is that of the kernel beside it.
    owners = {path.rpartition("/")[0] for path in felt} - {""}
    return {path: right[path] for path, _ in doubtful if path in felt or path.rpartition("/")[0] in owners}


class _Trial:
    """Puts values elsewhere and asks for the outputs."""

    def __init__(self, held, assigned, saved):
        self._held, self._saved = held, saved
        floats = {path: variable for path, variable in held.named if tf.as_dtype(variable.dtype).is_floating}
        self._variables = {path: floats[path] for path in assigned if path in floats}
        self._current = dict(assigned)

    def is_right(self, assignment):
        for path, variable in self._variables.items():
            source = assignment[path]
            if source != self._current[path] and source in self._saved:
                value = self._saved[source]
                if variable.shape.as_list() != list(value.shape):
                    return False
                filling.assign(variable, value.astype(variable.dtype.as_numpy_dtype))
                self._current[path] = source
        return self._held.is_same()
