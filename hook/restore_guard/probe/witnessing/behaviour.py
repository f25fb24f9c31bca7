"""What a model computes from seeded inputs and values: equal for two builds that compute the same."""

import functools
import itertools
import sys
import zlib

import numpy as np
import tensorflow as tf

from .. import frameworks
from . import witness

_BATCH = 3
_RELATIVE, _ABSOLUTE = 1e-4, 1e-5
# Each costs a call of the model.
_MOST_DOUBTS = 100


class Tensor:
    """A tensor to make up: its shape, with a batch, and its dtype by name."""

    def __init__(self, shape, dtype):
        self.shape, self.dtype = shape, dtype


def outputs(model, named, values_of, asked):
    """Calls a model that has been given small, zero-centred values, as training starts from.

    Args:
        named: [(path, variable)] of the model.
        values_of: {path: the name that decides its value}: a restored variable gets the value of the saved one.
        asked: what `arguments` returned.

    Returns:
        The outputs as a list of arrays; None where there is nothing to call it with, or the call raises.
    """
    if not asked or not callable(model):
        return None
    for path, variable in witness.without_seed_state(named):
        if path in values_of and tf.as_dtype(variable.dtype).is_floating:
            variable.assign(_tempered(values_of[path], variable.shape, variable.dtype))
    try:
        tf.random.set_seed(0)
        count = itertools.count()
        given = tf.nest.map_structure(lambda tensor: _input(next(count), tensor), asked)
        result = model(*given, training=False) if frameworks.is_model(model) else model(*given)
        return [_array(value) for value in tf.nest.flatten(result)]
    except Exception:
        return None


def judge(model, named, assigned, rivals, asked, base):
    """Compares what a restored model computes with what the saved one did; tells from it which value belongs where.

    Where the outputs are equal, every value is in its place, whatever it is called. Where they are not, but would be
    if the values went where a rival puts them, that is their place. Only of layers that the outputs depend on.

    Args:
        assigned: {variable: the saved one whose value it got}.
        rivals: other assignments that might be meant.
        asked: what the saved model was called with.
        base: the outputs of the saved model.

    Returns:
        (what `compare` returns, {variable: the saved one whose value belongs in it}); the second of doubtful ones.
    """
    found = compare(base, outputs(model, named, assigned, asked))
    rivals = [{path: rival.get(path, source) for path, source in assigned.items()} for rival in rivals]
    rivals = [rival for rival in rivals if rival != assigned]
    if found is None or not rivals:
        return found, {}

    def is_right(assignment):
        return (compare(base, outputs(model, named, assignment, asked)) or found)["same_output"]

    right = next(filter(is_right, [assigned, *rivals]), None)
    if right is None:
        return found, {}
    others = {path: rival[path] for rival in [assigned, *rivals] for path in assigned if rival[path] != right[path]}
    doubtful = list(others.items())[:_MOST_DOUBTS]
    felt = {path for path, other in doubtful if not is_right({**right, path: other})}
    # A bias may have no effect: its place is that of the kernel beside it.
    owners = {path.rpartition("/")[0] for path in felt} - {""}
    return found, {path: right[path] for path, _ in doubtful if path in felt or path.rpartition("/")[0] in owners}


def compare(base, head):
    """Returns {"same_output", "max_difference"}, the largest number where outputs have other forms; or None."""
    if base is None or head is None:
        return None
    if [value.shape for value in base] != [value.shape for value in head]:
        return {"same_output": False, "max_difference": sys.float_info.max}
    same, largest = True, 0.0
    for one, other in zip(base, head):
        if one.dtype.kind in "fiub" and other.dtype.kind in "fiub":
            one, other = one.astype("float64"), other.astype("float64")
            same = same and np.allclose(one, other, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True)
            with np.errstate(invalid="ignore"):
                difference = np.nan_to_num(np.abs(one - other), nan=0.0)
            largest = min(max(largest, float(np.max(difference, initial=0.0))), sys.float_info.max)
        else:
            same = same and bool(np.array_equal(one, other))
    return {"same_output": bool(same), "max_difference": largest}


def _array(value):
    """As float64 where it is a number with a fraction: NumPy does not know every such dtype."""
    value = tf.convert_to_tensor(value)
    return np.asarray(tf.cast(value, "float64") if value.dtype.is_floating else value)


def arguments(model, inputs, heard):
    """What to call a model with: a list of arguments, each a `Tensor` or a structure of them; empty if not known.

    Args:
        inputs: as configured: [{"shape": without batch, "dtype"}].
        heard: the calls of its builder; used where the model itself does not tell.
    """
    if frameworks.is_model(model):
        try:
            tensors = tf.nest.flatten(model.inputs)
        except (AttributeError, ValueError):
            tensors = []
        if tensors and all(tensor is not None for tensor in tensors):
            made = [_known(tensor) for tensor in tensors]
            return made[:1] if len(made) == 1 else [made]
    made = [Tensor([_BATCH, *[size or 2 for size in item["shape"]]], item["dtype"]) for item in inputs]
    if not frameworks.is_model(model):
        return made
    return (made if len(made) < 2 else [made]) or heard.of(model)


class Calls:
    """Hears with what each Keras model of this process is called first."""

    def __init__(self):
        self.first, self.alive = {}, []

    def of(self, model):
        return self.first.get(id(model), [])

    def listen(self):
        for package in ("keras", "tf_keras"):
            if package in sys.modules:
                layer = sys.modules[package].layers.Layer
                layer.__call__ = self._hearing(layer.__call__)

    def _hearing(self, call):
        @functools.wraps(call)
        def hearing(layer, *args, **kwargs):
            if id(layer) not in self.first and frameworks.is_model(layer):
                self.alive.append(layer)  # a dead one's id would be given to another
                leaves = tf.nest.flatten(args)
                plain = leaves and all(hasattr(leaf, "shape") and hasattr(leaf, "dtype") for leaf in leaves)
                self.first[id(layer)] = list(tf.nest.map_structure(_known, args)) if plain else []
            return call(layer, *args, **kwargs)

        return hearing


def _known(tensor):
    sizes = list(tensor.shape)
    return Tensor([_BATCH, *[size or 2 for size in sizes[1:]]] if sizes else [], tf.as_dtype(tensor.dtype).name)


def _input(number, tensor):
    """Whole numbers are 0 and 1: they may be positions in a table of any size."""
    random, shape, dtype = np.random.default_rng(number), tensor.shape, tf.as_dtype(tensor.dtype)
    if dtype == tf.string:
        return tf.constant(random.integers(0, 2, size=shape).astype(str))
    if dtype.is_floating or dtype.is_complex:
        return tf.cast(random.normal(size=shape), dtype)
    return tf.cast(random.integers(0, 2, size=shape), dtype)


def _tempered(name, shape, dtype):
    """Matrices are centred on zero and scaled by what they add up; vectors, variances among them, are positive."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    shape = shape.as_list() if hasattr(shape, "as_list") else list(shape)
    if len(shape) < 2:
        values = random.uniform(0.5, 1.5, size=shape)
    else:
        values = random.normal(size=shape) / np.sqrt(max(1, np.prod(shape[:-1])))
    return tf.cast(values, dtype)
