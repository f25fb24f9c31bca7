"""Partitioned variables of a graph: each is a part of one tensor in the file of a Saver.

Source: tensorflow/python/ops/variables.py `Variable.SaveSliceInfo`; a Saver reads a part as that slice of the tensor,
however the tensor was cut when it was saved (core/util/tensor_bundle/tensor_bundle.cc `BundleReader::LookupSlice`).
"""

import collections

import numpy as np

from .. import private_names
from . import filling


class Cut(collections.namedtuple("Cut", "tensor start shape spec")):
    """Which part of which tensor a variable is; `spec` is what TensorFlow reads it by, "" where there are no parts."""


def of(variables):
    """Returns {path: `Cut`} of the (path, variable) pairs of a graph."""
    return {path: of_one(variable) for path, variable in variables}


def of_one(variable):
    """Returns the `Cut` of a variable."""
    info = private_names.slice_info(variable)
    if info is None:
        shape = tuple(variable.shape) if variable.shape.is_fully_defined() else filling.read(variable).shape
        return Cut(variable.op.name, (0,) * len(shape), shape, "")
    return Cut(info.full_name, tuple(info.var_offset), tuple(info.var_shape), info.spec)


def covering(value, cut, parts, saved):
    """The saved variables that a part of a tensor is made of, [] where it holds anything else.

    Args:
        value, cut: what a variable holds after the restore, and which part it is.
        parts: `of` the saved variables.
        saved: {path: value}.
    """
    ranked = {path: part for path, part in parts.items() if part.tensor == cut.tensor and path in saved}
    if any(len(part.shape) != value.ndim or saved[path].dtype != value.dtype for path, part in ranked.items()):
        return []
    made, known, found = np.empty_like(value), np.zeros(value.shape, bool), []
    for path, part in ranked.items():
        low = np.maximum(part.start, cut.start)
        high = np.minimum(np.add(part.start, part.shape), np.add(cut.start, value.shape))
        if (low < high).all():
            here, there = (tuple(map(slice, low - at.start, high - at.start)) for at in (cut, part))
            made[here], known[here] = saved[path][there], True
            found.append(path)
    return found if known.all() and filling.digest(made) == filling.digest(value) else []
