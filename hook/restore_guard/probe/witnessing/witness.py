"""A witness: a real checkpoint, really saved by one build and really restored by another.

Every variable of the saving build is filled with values found nowhere else, and so is every variable of
the restoring build, with other values. After the load each variable says by its value where it came from.

Needs an eager build with real values; the weightless builds of the probe cannot be saved.
"""

import hashlib
import importlib
import os
import zipfile
import zlib

import numpy as np
import tensorflow as tf

SAVED_SEED = 1  # odd and even, so that no value of a saving build equals one of a restoring build
MODEL_SEED = 2

_ERROR_LENGTH = 2000
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


class Unsupported(Exception):
    """This restore path cannot save or load this kind of root, whatever its variables are."""


# --- filling -------------------------------------------------------------------------------------------


def fill(variables, seed):
    """Give every variable recognisable values, random-seed state included.

    In: (path, variable) pairs; the seed: builds with an even and with an odd seed share no value.
    Out: {path: the value read back}; a repeated value only where the type is too small to avoid it.
    """
    taken = set()
    return {path: _fill_one(path, variable, seed, taken) for path, variable in variables}


def _fill_one(path, variable, seed, taken):
    current = read(variable)
    for attempt in range(16):
        values = _distinct_values(current.shape, current.dtype, seed, f"{path}#{attempt}")
        mark = _digest(values)
        if mark not in taken:
            break
    taken.add(mark)
    assign(variable, values)
    return read(variable)


def assign(variable, value):
    """Gives a variable a value, in the session of its graph where it has one."""
    session = _session(variable)
    if session is None:
        variable.assign(value)
    else:
        with session.graph.as_default():
            variable.load(value, session)


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


def read(variable):
    """The value of a tf.Variable or of a Keras variable as an array."""
    session = _session(variable)
    return np.asarray(variable.numpy() if session is None else session.run(variable))


_SESSIONS = {}


def _session(value):
    """The one session of the TF1-style graph that a variable is in, or that `value` is; None for eager variables."""
    graph = value if isinstance(value, tf.Graph) else getattr(value, "graph", None)
    if not isinstance(graph, tf.Graph):
        return None
    if graph not in _SESSIONS:
        with graph.as_default():
            _SESSIONS[graph] = tf.compat.v1.Session(graph=graph)
            _SESSIONS[graph].run(tf.compat.v1.global_variables_initializer())
    return _SESSIONS[graph]


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


# --- saving and loading --------------------------------------------------------------------------------


def save(root, restore_path, folder):
    """Save `root` by the plain call of a restore path.

    In: a Keras model, tf.Module, tf.train.Checkpoint or dict of trackables; an existing, empty folder.
    Out: the path that `load` takes.
    Errors: Unsupported, ValueError for an unknown path, or whatever the call raises.
    """
    return _calls(restore_path)[0](root, folder)


def load(root, restore_path, path):
    """Load what `save` returned, by the plain call with no assertion on its status.

    Out: the root that now holds the values: `root`, but for keras-archive a new model.
    Errors: as `save`.
    """
    return _calls(restore_path)[1](root, path)


def _calls(restore_path):
    if restore_path not in _RESTORE_PATHS:
        raise ValueError(f"unknown restore path {restore_path!r}")
    return _RESTORE_PATHS[restore_path]


def _checkpoint(root):
    if isinstance(root, tf.train.Checkpoint):
        return root
    if isinstance(root, tf.Graph):
        raise Unsupported("a tf.Graph is no trackable object")
    return tf.train.Checkpoint(**root) if isinstance(root, dict) else tf.train.Checkpoint(root)


def _save_checkpoint(root, folder):
    return _checkpoint(root).save(os.path.join(folder, "checkpoint"))


def _load_checkpoint(root, path):
    _checkpoint(root).restore(path)
    return root


def _save_weights(root, folder):
    path = os.path.join(folder, "model.weights.h5")
    _keras_model(root).save_weights(path)
    return path


def _load_weights(root, path):
    _keras_model(root).load_weights(path)
    return root


def _save_legacy_h5(root, folder):
    path = os.path.join(folder, "model.h5")
    if _keras_major(_keras_model(root)) >= 3:
        _write_legacy_h5(root, path)
    else:
        root.save_weights(path)
    return path


def _write_legacy_h5(model, path):
    """What Keras 3 writes for `model.save("x.h5")`, minus the config: a subclassed model may have none."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file.create_group("model_weights"), model)


def _load_by_name(root, path):
    _keras_model(root).load_weights(path, by_name=True)
    return root


def _save_archive(root, folder):
    path = os.path.join(folder, "model.keras")
    _keras_model(root).save(path)
    return path


def _load_archive(root, path):
    saving = importlib.import_module(_keras_name(_keras_model(root)) + ".saving")
    return saving.load_model(path)


def _save_graph(root, folder):
    with _graph(root).as_default():
        return tf.compat.v1.train.Saver().save(_session(root), os.path.join(folder, "model.ckpt"))


def _restore_graph(root, path):
    with _graph(root).as_default():
        tf.compat.v1.train.Saver().restore(_session(root), path)
    return root


def _graph(root):
    if not isinstance(root, tf.Graph):
        raise Unsupported(f"only a tf.Graph is saved by tf.compat.v1.train.Saver, not {type(root).__name__}")
    return root


_RESTORE_PATHS = {
    "tf-checkpoint": (_save_checkpoint, _load_checkpoint),
    "keras-weights": (_save_weights, _load_weights),
    "h5": (_save_legacy_h5, _load_weights),
    "h5-by-name": (_save_legacy_h5, _load_by_name),
    "keras-archive": (_save_archive, _load_archive),
    "tf1-saver": (_save_graph, _restore_graph),
}


def _keras_name(root):
    """`keras` or `tf_keras`, whichever's Model `root` derives from; None for anything else."""
    for base in type(root).__mro__:
        package = base.__module__.split(".")[0]
        if base.__name__ == "Model" and package in ("keras", "tf_keras"):
            return package
    return None


def _keras_model(root):
    if _keras_name(root) is None:
        raise Unsupported(f"only a Keras model can be saved this way, not {type(root).__name__}")
    return root


def _keras_major(model):
    return int(importlib.import_module(_keras_name(model)).__version__.split(".")[0])


# --- what a file holds ---------------------------------------------------------------------------------


def saved_values(variables, filled, restore_path, path):
    """The values that really are in a checkpoint: a path may leave a variable out without a word.

    In: the (path, variable) pairs of the saving build, what `fill` returned, what `save` returned.
    Out: {path: value} of the variables found by value in the file, without random-seed state. What a layer writes
    in a form of its own is not found.
    """
    stored = {_digest(value) for value in _stored_arrays(restore_path, path, variables)}
    names = [name for name, _ in without_seed_state(variables)]
    return {name: filled[name] for name in names if _digest(filled[name]) in stored}


def _stored_arrays(restore_path, path, variables):
    if restore_path == "tf1-saver":
        return _bundle_arrays(path) + _bundle_slices(path, variables)
    if restore_path == "tf-checkpoint":
        return _bundle_arrays(path)
    return _archive_arrays(path) if zipfile.is_zipfile(path) else _hdf5_arrays(path)


def _bundle_arrays(path):
    reader = tf.train.load_checkpoint(path)
    # The state of an iterator over a dataset is no array.
    arrays = [name for name, dtype in reader.get_variable_to_dtype_map().items() if dtype != tf.variant]
    return [np.asarray(reader.get_tensor(name)) for name in arrays]


def _bundle_slices(path, variables):
    """The parts of partitioned variables, which a Saver keeps as one tensor."""
    reader = tf.train.load_checkpoint(path)
    slices = [variable._save_slice_info for _, variable in variables if variable._save_slice_info is not None]
    return [
        np.asarray(reader.get_tensor(part.full_name))[
            tuple(slice(start, start + size) for start, size in zip(part.var_offset, part.var_shape))
        ]
        for part in slices
    ]


def _archive_arrays(path):
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as member:
        return _hdf5_arrays(member)


def _hdf5_arrays(file):
    import h5py

    arrays = []

    def collect(_, item):
        if isinstance(item, h5py.Dataset):
            arrays.append(_hdf5_array(item))

    with h5py.File(file, "r") as opened:
        opened.visititems(collect)
    return arrays


def _hdf5_array(dataset):
    """HDF5 knows no bfloat16: Keras stores its bytes and names the type in an attribute."""
    value = np.asarray(dataset)
    name = dataset.attrs.get("dtype")
    return value.view(tf.as_dtype(name).as_numpy_dtype) if name else value


# --- observing -----------------------------------------------------------------------------------------


def observe(variables, before, saved, hidden=None):
    """Tell from the values where each variable got its own from.

    In: the (path, variable) pairs after the load; what they held before it, {} if they were not there
    yet; the saved values; those that the file may hold in a form that is not known.
    Out: an Observation: {"assigned": {model path: saved path}, "initial": [model paths that kept their
    value], "unused": [saved paths that no variable got], "changed_otherwise": [the other model paths]};
    random-seed state is in none of them.
    """
    sources = _Sources({**(hidden or {}), **saved})
    observation = {"assigned": {}, "initial": [], "unused": [], "changed_otherwise": []}
    for path, variable in without_seed_state(variables):
        value = read(variable)
        source = sources.find(path, value, in_graph=_session(variable) is not None)
        if path in before and _digest(value) == _digest(before[path]):
            observation["initial"].append(path)
        elif source is not None:
            observation["assigned"][path] = source
        else:
            observation["changed_otherwise" if path in before else "initial"].append(path)
    observation["unused"] = sorted(set(saved) - sources.used)
    return observation


class _Sources:
    """Finds a saved variable by its value, compared in the type of the variable that may hold it."""

    def __init__(self, saved):
        self._saved = saved
        self._by_dtype = {}
        self.used = set()

    def find(self, path, value, in_graph=False):
        """The saved path that `value` came from, the same path first, or None; only a graph has partitions."""
        candidates = self._index(value.dtype).get(_digest(value), [])
        if not candidates and in_graph:
            candidates = self._parts(value)
        if not candidates:
            return None
        self.used.update(candidates)
        return path if path in candidates else candidates[0]

    def _parts(self, value):
        """The saved variables that a value is made of: a partitioned variable that is cut otherwise than before."""
        if value.dtype.kind != "f" or value.dtype.itemsize < 4 or value.size == 0:
            return []  # too few different values to tell
        alike = {path: saved.ravel() for path, saved in self._saved.items() if saved.dtype == value.dtype}
        parts = [path for path, saved in alike.items() if np.isin(value, saved).any()]
        return parts if parts and np.isin(value, np.concatenate([alike[path] for path in parts])).all() else []

    def _index(self, dtype):
        if dtype not in self._by_dtype:
            index = self._by_dtype[dtype] = {}
            for path, value in self._saved.items():
                if _comparable(value.dtype, dtype):
                    with np.errstate(all="ignore"):
                        cast = value.astype(dtype)
                    index.setdefault(_digest(cast), []).append(path)
        return self._by_dtype[dtype]


def _comparable(one, other):
    """Whether a cast between two dtypes makes sense: texts and complex numbers only match their own."""
    return all((one.kind in kinds) == (other.kind in kinds) for kinds in ("OSU", "c"))


def _digest(value):
    """Equal for equal arrays of equal shape and type."""
    is_text = value.dtype.kind in "OSU"
    content = repr(value.tolist()).encode() if is_text else np.ascontiguousarray(value).tobytes()
    return value.shape, value.dtype.name, hashlib.sha256(content).digest()


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


def restore(root, named_variables, restore_path, path, saved, hidden=None):
    """Really restore a checkpoint into a fresh build.

    In: the root of the build, a function from a root to its (path, variable) pairs, what `save` returned,
    the saved values, and what `observe` takes as hidden.
    Out: the Observation with "outcome" and "error" (None unless it raises).
    Errors: Unsupported; what the load raises is an outcome.
    """
    before = fill(named_variables(root), MODEL_SEED)
    error = None
    try:
        loaded = load(root, restore_path, path)
    except Unsupported:
        raise
    except Exception as raised:  # any exception of the framework is what is being measured
        loaded, error = root, raised
    observation = observe(named_variables(loaded), before if loaded is root else {}, saved, hidden)
    text = None if error is None else error_text(error)
    return {"outcome": outcome(observation, error), "error": text, **observation}
