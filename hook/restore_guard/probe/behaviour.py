"""What a model computes from seeded inputs and values: equal for two builds that compute the same."""

import sys
import zlib

import numpy as np
import tensorflow as tf

from . import frameworks, witness

_BATCH = 3
_RELATIVE, _ABSOLUTE = 1e-4, 1e-5


def outputs(model, named, values_of, inputs):
    """Calls a model that has been given small, zero-centred values, as training starts from.

    Args:
        named: [(path, variable)] of the model.
        values_of: {path: the name that decides its value}: a restored variable gets the value of the saved one.
        inputs: as configured: [{"shape": without batch, "dtype"}]; used where the model itself does not tell.

    Returns:
        The outputs as a list of arrays; None where there is nothing to call it with, or the call raises.
    """
    specs = _specs(model, inputs)
    if not specs or not callable(model):
        return None
    for path, variable in witness.without_seed_state(named):
        if path in values_of and tf.as_dtype(variable.dtype).is_floating:
            variable.assign(_tempered(values_of[path], variable.shape, variable.dtype))
    try:
        tf.random.set_seed(0)
        given = [_input(number, *spec) for number, spec in enumerate(specs)]
        called = given[0] if len(given) == 1 else given
        result = model(called, training=False) if frameworks.is_model(model) else model(*given)
        return [_array(value) for value in tf.nest.flatten(result)]
    except Exception:
        return None


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


def _specs(model, inputs):
    """[(shape with a batch, dtype)] of each input."""
    tensors = None
    if frameworks.is_model(model):
        try:
            tensors = tf.nest.flatten(model.inputs)
        except (AttributeError, ValueError):
            tensors = None
    if tensors and all(tensor is not None for tensor in tensors):
        return [
            ([_BATCH, *[size or 2 for size in list(tensor.shape)[1:]]], tf.as_dtype(tensor.dtype)) for tensor in tensors
        ]
    return [([_BATCH, *[size or 2 for size in item["shape"]]], tf.as_dtype(item["dtype"])) for item in inputs]


def _input(number, shape, dtype):
    """Whole numbers are 0 and 1: they may be positions in a table of any size."""
    random = np.random.default_rng(number)
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
