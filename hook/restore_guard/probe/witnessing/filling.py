"""The values of a witness's variables: which variables count, how they are read, and what they are filled with."""

import contextlib
import hashlib
import zlib

import numpy as np
import tensorflow as tf

SAVED_SEED = 1  # odd and even, so that no value of a saving build equals one of a restoring build
MODEL_SEED = 2

_BINADES = 8  # floats are filled from [2**-8, 1): small enough that no activation overflows
_MANTISSA_BITS = {
    "float16": 10,
    "bfloat16": 7,
    "float32": 23,
    "float64": 52,
    "complex64": 23,
    "complex128": 52,
}
_SEED_STATE_NAMES = ("seed_generator_state", "StateVar")
_ATTEMPTS = 16
# Wider matrices keep this scale, or the rows of a large table would be too small to be felt.
_WIDEST = 4096


# --- reading -------------------------------------------------------------------------------------------


def read(variable):
    """The value of a tf.Variable or of a Keras variable as an array."""
    session = session_of(variable)
    return np.asarray(variable.numpy() if session is None else session.run(variable))


def assign(variable, value):
    """Gives a variable a value, in whatever its graph needs for it."""
    session = session_of(variable)
    if session is None:
        variable.assign(value)
    else:
        with session.graph.as_default():
            variable.load(value, session)


def flood(variable, number):
    """Gives all of a variable the same value."""
    if session_of(variable) is None:
        variable.assign(tf.fill(variable.shape, tf.constant(number, variable.dtype.base_dtype)))
    else:
        assign(variable, np.full(tuple(variable.shape), number))


_SESSIONS = {}


def session_of(value):
    """The one session of the TF1-style graph that a variable is in, or that `value` is; None for eager variables.

    Without eager execution it is Keras's own, in which it loads weights.
    """
    if not tf.executing_eagerly() and not isinstance(value, tf.Graph):
        return tf.compat.v1.keras.backend.get_session()
    graph = value if isinstance(value, tf.Graph) else getattr(value, "graph", None)
    if not isinstance(graph, tf.Graph):
        return None
    if graph not in _SESSIONS:
        with graph.as_default():
            _SESSIONS[graph] = tf.compat.v1.Session(graph=graph)
            _SESSIONS[graph].run(tf.compat.v1.global_variables_initializer())
    return _SESSIONS[graph]


def digest(value):
    """Equal for equal arrays of equal shape and type."""
    is_text = value.dtype.kind in "OSU"
    content = repr(value.tolist()).encode() if is_text else np.ascontiguousarray(value).tobytes()
    return value.shape, value.dtype.name, hashlib.sha256(content).digest()


# --- random-seed state ---------------------------------------------------------------------------------


def is_seed_state(path, variable):
    """Whether a variable is the state of a random generator: it never decides an outcome.

    A variable does not know its owner, but the three owners name and shape it in a way of their own:
      Keras 3  keras.random.SeedGenerator.state: `seed_generator_state`, integers of shape (2,)
      Keras 2  RandomGenerator._generator, a tf.random.Generator, made only after
               enable_tf_random_generator(); Dropout has no variable otherwise
      TF       tf.random.Generator._state_var: `StateVar:0`, int64 of shape (3,), other sizes by algorithm
    A wrapped state may be named otherwise; the edge to that of a tf.random.Generator is the same.
    """
    if tf.TensorShape(variable.shape).rank != 1 or not tf.as_dtype(variable.dtype).is_integer:
        return False
    name = variable.name.split(":")[0].split("/")[-1]
    return name.startswith(_SEED_STATE_NAMES) or path.split("/")[-1].lstrip("_") == "state_var"


def without_seed_state(variables):
    """The (path, variable) pairs that decide an outcome."""
    return [(path, variable) for path, variable in variables if not is_seed_state(path, variable)]


# --- values found nowhere else -------------------------------------------------------------------------


def fill(variables, seed):
    """Give every variable recognisable values, random-seed state included.

    In: (path, variable) pairs; the seed: builds with an even and with an odd seed share no value.
    Out: {path: the value read back}; a repeated value only where the type is too small to avoid it.
    """
    taken = set()
    return {path: _fill_one(path, variable, seed, taken) for path, variable in variables}


def _fill_one(path, variable, seed, taken):
    current = read(variable)
    for attempt in range(_ATTEMPTS):
        values = _distinct_values(current.shape, current.dtype, seed, f"{path}#{attempt}")
        mark = digest(values)
        if mark not in taken:
            break
    taken.add(mark)
    assign(variable, values)
    return read(variable)


def _distinct_values(shape, dtype, seed, salt):
    """An array whose elements differ from each other and from those of any other salt, where dtype allows."""
    count = int(np.prod(shape, dtype=np.int64))
    if dtype.kind in "OSU":
        texts = [f"{salt}/{seed}/{number}".encode() for number in range(count)]
        return np.array(texts, dtype=object).reshape(shape)
    numbers = _distinct_integers(count, _distinct_count(dtype), seed, salt).reshape(shape)
    if dtype.kind in "iub":
        return numbers.astype(dtype)
    bits = _MANTISSA_BITS.get(dtype.name, 2)
    fraction = 1.0 + (numbers & ((1 << bits) - 1)) / float(1 << bits)
    return np.ldexp(fraction, (numbers >> bits) - _BINADES).astype(dtype)


def _distinct_count(dtype):
    """How many values fill may use of a numeric dtype: a power of two."""
    if dtype.kind == "b":
        return 2
    if dtype.kind in "iu":
        return 1 << min(8 * dtype.itemsize - 1, 30)
    return _BINADES << _MANTISSA_BITS.get(dtype.name, 2)


def _distinct_integers(count, limit, seed, salt):
    """`count` integers below `limit`, a power of two; without repeats while count <= limit / 2.

    The lowest bit is the seed's, which keeps two builds apart. An odd stride visits every residue once.
    """
    random = np.random.default_rng(zlib.crc32(salt.encode()))
    half = limit // 2
    if half == 1:
        return random.integers(0, 2, size=count) ^ (seed & 1)
    offset, stride = random.integers(half), 2 * random.integers(half // 2) + 1
    steps = np.arange(count, dtype=np.uint64) * np.uint64(stride) + np.uint64(offset)
    return ((steps % np.uint64(half)) * np.uint64(2) + np.uint64(seed & 1)).astype(np.int64)


# --- values to compute with ----------------------------------------------------------------------------


class Tempering:
    """Values as training leaves them, which a saving build computes with: small, zero-centred, no two arrays equal.

    Variables get theirs when they are created, so that what a layer computes from them there (Normalization, a cached
    tensor) goes with them, as it does in a model that has been trained.
    """

    def __init__(self):
        self._taken, self._made = set(), {}

    @contextlib.contextmanager
    def at_creation(self):
        with tf.variable_creator_scope(self._create):
            yield

    def _create(self, next_creator, **kwargs):
        initial = kwargs.get("initial_value")
        if initial is None or hasattr(initial, "checkpoint_position"):
            return next_creator(**kwargs)
        # The dtype and shape that the variable has without this.
        value = tf.convert_to_tensor(initial() if callable(initial) else initial, dtype=kwargs.get("dtype"))
        # Keras 2 builds a layer that it adapts within a tf.function, as a lazy module may do with itself.
        traced = not hasattr(value, "numpy")
        in_session = traced and not tf.compat.v1.executing_eagerly_outside_functions()
        if not _is_tempered(value) or not value.shape.is_fully_defined() or in_session:
            return next_creator(**{**kwargs, "initial_value": value} if callable(initial) else kwargs)
        with tf.init_scope():
            made = np.asarray(self.value(f"#{len(self._made)}", value.shape, value.dtype))
        given = (lambda: tf.constant(made)) if traced else made
        variable = next_creator(**{**kwargs, "initial_value": given})
        self._made[id(variable)] = variable, digest(made)
        return variable

    def complete(self, variables):
        """Fills what creation has not: floats that were made out of reach, or that the builder has made alike.

        What the builder itself has given a value since (it has adapted a layer, loaded pretrained weights) keeps it.
        All others, whole numbers among them, get values found nowhere else.

        In: (path, variable) pairs.
        Out: ({path: value} as they now are, {path: the builder's value of those that no computation could stand}).
        """
        natural, seen = {}, set()
        for path, variable in variables:
            value = read(variable)
            if not _is_tempered(variable):
                if not _is_wide(value):
                    natural[path] = value
                _fill_one(path, variable, SAVED_SEED, self._taken)
            elif id(variable) not in self._made or digest(value) in seen:
                assign(variable, np.asarray(self.value(path, variable.shape, variable.dtype)))
            seen.add(digest(read(variable)))
        return {path: read(variable) for path, variable in variables}, natural

    def value(self, salt, shape, dtype):
        """A tensor of this shape."""
        for attempt in range(_ATTEMPTS):
            made = tf.cast(_tempered(f"{salt}#{attempt}", tuple(tf.TensorShape(shape).as_list())), dtype)
            mark = digest(np.asarray(made))
            if mark not in self._taken:
                break
        self._taken.add(mark)
        return made


def _is_tempered(value):
    return tf.as_dtype(value.dtype).is_floating


def _is_wide(value):
    """Whether a value of whole numbers may be any of its type, as a quantised kernel may."""
    return value.dtype.itemsize == 1 and value.dtype.kind in "iu" and value.ndim > 1


def _tempered(salt, shape):
    """Matrices are centred on zero and scaled by what they add up; vectors, variances among them, are positive."""
    random = np.random.default_rng(zlib.crc32(salt.encode()))
    if len(shape) < 2:
        # Around one and never it: the initial value of many.
        return 1 + random.choice([-1, 1], size=shape) * random.uniform(0.05, 0.45, size=shape)
    return random.normal(size=shape) / np.sqrt(np.clip(np.prod(shape[:-1]), 1, _WIDEST))
