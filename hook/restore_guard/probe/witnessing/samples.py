"""Inputs that tell something: drawn from the vocabularies, boundaries and tables that a model looks things up in."""

import zlib

import numpy as np
import tensorflow as tf

# (batch, size of what may have any); the later ones for models that need longer inputs.
_SIZES = ((8, 5), (13, 3), (1, 8), (2, 16), (2, 64), (1, 224))
_ENOUGH = 3
# Rows of each sample where the model looks things up.
_ROWS = 48
_UNKNOWN_WORD = "a word that is in no vocabulary"
_MOST_BOUNDS = 8


class Known:
    """What the parts of a model say of the values that they take.

    Attributes:
        words, numbers: of all vocabularies and keys of tables.
        bounds: sizes of tables, one of which each whole number is below; the largest first.
        boundaries: between which numbers are told apart.
    """

    def __init__(self, parts):
        self.words, self.numbers, self.boundaries, bounds = [], [], [], {2}
        for part in parts:
            self._take(_entries(part))
            bounds.update(size for size in _sizes(part) if size > 1)
            self.boundaries += [float(value) for value in _boundaries(part)]
        self.bounds = sorted(bounds, reverse=True)[:_MOST_BOUNDS]

    def _take(self, entries):
        for entry in entries:
            if isinstance(entry, bytes):
                entry = entry.decode(errors="replace")
            if isinstance(entry, str):
                self.words.append(entry)
            elif np.issubdtype(type(entry), np.integer):
                self.numbers.append(int(entry))


def draw(tensors, known, bounds):
    """Yields samples {name: array}, the likeliest to be taken first.

    Args:
        tensors: {name: `inputs.Tensor`}.
        bounds: {name: the sizes of tables, one of which each of its whole numbers is below}.
    """
    rows = _ROWS if known.words or known.numbers or known.boundaries else 0
    for number, (batch, size) in enumerate(_SIZES):
        sizes = max(batch, rows), size
        drawn = {name: _drawn(name, tensor, known, bounds.get(name), *sizes) for name, tensor in tensors.items()}
        # In one alone: a model without a place for unknown words refuses it.
        yield {name: _written(values) for name, values in drawn.items()} if number == 1 else drawn


def enough(samples):
    return len(samples) >= _ENOUGH


def bounds(tensors, known, takes):
    """{name: the sizes of tables that whole numbers may index}: the largest that the model takes, and all below it.

    Args:
        takes: whether the model can be called with {name: array}.
    """
    batch, size = _SIZES[0]
    wholes = [name for name, tensor in tensors.items() if _is_whole(tensor)]
    least = {name: _drawn(name, tensor, known, [2], batch, size) for name, tensor in tensors.items()}
    found = {}
    for name in wholes:
        shape = least[name].shape
        fitting = (
            number
            for number, bound in enumerate(known.bounds)
            if bound == 2 or takes({**least, name: np.full(shape, bound - 1, least[name].dtype)})
        )
        found[name] = known.bounds[next(fitting) :]
    return found


def _drawn(name, tensor, known, bounds, batch, size):
    random = np.random.default_rng(zlib.crc32(f"{name}/{batch}/{size}".encode()))
    sizes = list(tensor.shape)
    shape = [batch if one is None else one for one in sizes[:1]] + [size if one is None else one for one in sizes[1:]]
    dtype = tf.as_dtype(tensor.dtype)
    if dtype == tf.string:
        return _words(random, known, shape)
    if _is_whole(tensor):
        return _wholes(random, known, bounds or [2], shape).astype(dtype.as_numpy_dtype)
    if dtype == tf.bool:
        return random.integers(0, 2, size=shape).astype(bool)
    drawn = random.normal(size=shape)
    if known.boundaries:
        least, most = min(known.boundaries), max(known.boundaries)
        margin = 1 + 0.1 * (most - least)
        drawn = np.where(random.integers(0, 4, size=shape), random.uniform(least - margin, most + margin, shape), drawn)
    return drawn.astype(dtype.as_numpy_dtype)


def _words(random, known, shape):
    words = np.array([*known.words, _UNKNOWN_WORD], dtype=object)
    count = int(np.prod(shape))
    # All of them in turn: each may have changed its place.
    offset = int(random.integers(len(words)))
    return words[(offset + np.arange(count)) % len(words)].reshape(shape)


def _written(values):
    """Every other text as a person writes it: a model may take it apart by case, punctuation or spaces."""
    if values.dtype != object:
        return values
    written = [f"{text.title()}, {text}!" if place % 2 else text for place, text in enumerate(values.flat)]
    return np.array(written, dtype=object).reshape(values.shape)


def _wholes(random, known, bounds, shape):
    """Below a size drawn for each: a small table is hit as often as a large one."""
    drawn = random.integers(0, random.choice(bounds, size=shape))
    listed = [number for number in known.numbers if number >= 0]
    if not listed:
        return drawn
    return np.where(random.integers(0, 4, size=shape), random.choice(listed, size=shape), drawn)


def _is_whole(tensor):
    return tf.as_dtype(tensor.dtype).is_integer


def _entries(part):
    """The vocabulary of a lookup layer, the keys of a table."""
    try:
        if hasattr(part, "get_vocabulary"):
            return list(part.get_vocabulary(include_special_tokens=False))
        if hasattr(part, "export") and hasattr(part, "key_dtype"):
            return list(part.export()[0].numpy().ravel())
    except Exception:  # a table of another kind, or of a graph
        pass
    return []


def _sizes(part):
    """How many rows the tables of a part have."""
    for attribute in ("input_dim", "num_tokens", "vocabulary_size"):
        value = getattr(part, attribute, None)
        try:
            value = value() if callable(value) else value
        except Exception:
            continue
        if isinstance(value, (int, np.integer)):
            yield int(value)
    if isinstance(part, tf.Variable) and part.shape.rank == 2:
        yield int(part.shape[0] or 0)


def _boundaries(part):
    found = getattr(part, "bin_boundaries", None)
    return np.ravel(np.asarray(found, dtype=float)) if found is not None and len(found) else []
