"""The private names of TensorFlow and Keras that the probe reads: all of them stand here.

`gone` looks whether this version has them. One that is missing costs the restore paths that need it, which are then
`unsupported` with the reason, or makes the trace of a build opaque; it fails no build.
"""

import functools
import importlib
import types

import numpy
import tensorflow as tf

from .frameworks import attribute, code_of

FILES = "tensorflow.python.lib.io._pywrap_file_io"
"""Where TensorFlow's own code opens, looks for and lists files (tensorflow/python/lib/io/file_io_wrapper.cc)."""

OPERATIONS = "tensorflow.python.pywrap_tfe"
"""Where every eager operation runs."""

GRAPH_OPERATION = "tensorflow.python.framework.ops", "Graph", "_create_op_internal"
"""What makes every operation of a graph or a tf.function."""

RECORD_FILES = "tensorflow.python.data.ops.readers", "_create_or_validate_filenames_dataset"
"""What takes the files of a dataset of lines or records."""

CHECKPOINT_READER = "tensorflow.python.training.py_checkpoint_reader", "NewCheckpointReader"
LOAD_LIBRARY = "tensorflow.python.client.pywrap_tf_session", "TF_LoadLibrary"
"""What opens a checkpoint and a library of operations."""

RECORD_WRITER = "tensorflow.python.lib.io.tf_record", "TFRecordWriter", "__init__"
EVENTS_WRITER = "tensorflow.python.client._pywrap_events_writer", "EventsWriter"
"""What writes a file of records, and one of events."""

OPTIMIZER_BOOKKEEPING = {"_index_dict", "_trainable_variables_indices", "_trainable_variables", "_tracker"}
"""Attributes of a Keras optimizer that are not the user's (keras/src/optimizers/base_optimizer.py)."""

MODEL_BOOKKEEPING = {
    *("_functional", "_inputs_struct", "_outputs_struct", "_nested_inputs", "_nested_outputs"),
    *("_operations", "_operations_by_depth", "_nodes_by_depth", "_layer_call_argspecs"),
    *("_input_coordinates", "_output_coordinates", "_input_layers", "_output_layers"),
    *("_undeduplicated_weights", "_index_dict", "_trainable_variables_indices"),
}
"""Attributes of a functional or compiled model that are not the user's (keras/src/models/functional.py)."""

SECOND_WAYS = ("_operations_by_depth", "_nodes_by_depth", "_input_coordinates", "_output_coordinates")
"""Attributes by which a functional model reaches its layers a second time, after `layers`."""

DECLARED_INPUTS = ("_inputs_struct", "_nested_inputs")
"""The structure of a functional model's inputs, of Keras 3 and of Keras 2; without it none are told."""

CALLED_SHAPES, CALLED_WITH = "_build_shapes_dict", "_saved_model_arg_spec"
"""The first call of a model: its shapes by argument (Keras 3), or what it was called with (Keras 2)."""


def declaring_layer(tensor):
    """The layer that a symbolic tensor comes from, which both Keras call otherwise; None for another tensor."""
    history = attribute(tensor, "_keras_history")
    return getattr(history, "operation", None) or getattr(history, "layer", None)


def gone(package):
    """Returns {restore path: the sentence that says what this version lacks}, or "trace" in place of a path.

    Args:
        package: `keras` or `tf_keras`, of which the model is; None for another object.
    """
    found = {}
    if lacks := _lacking(tf.Module, *_TRACKABLE):
        found["tf-checkpoint"] = _sentence("tensorflow", lacks)
    if lacks := _lacking(tf.Variable, "_get_save_slice_info"):
        found["tf1-saver"] = _sentence("tensorflow", lacks)
    if package is not None:
        saving = f"{code_of(package)}.saving.saving_lib"
        lacks = _lacking_walk(_module(saving)) or _lacking(_module(_naming(package)), "to_snake_case")
        own = _lacking_own(importlib.import_module(package).layers.Layer())
        for path, what in (("keras-weights", lacks or own), ("keras-archive", lacks or own), ("h5", own)):
            if what:
                found[path] = _sentence(package, what)
        if code_of(package) == package:  # 2.12
            found["keras-archive"] = f"{_version(package)} writes HDF5 under a name that ends in .keras"
        if generation(package) == 3 and not own:
            own = _lacking(_module(_LEGACY), "load_weights_from_hdf5_group_by_name")
        if own:
            found["h5-by-name"] = _sentence(package, own)
    return found


def _lacking_walk(library):
    """What the walk lacks by either name: Keras 2 and Keras 3.0 to 3.2 walk trackables, later ones saveables."""
    lacks = _lacking(library, "_walk_saveable")
    return lacks and _lacking(library, "_walk_trackable", "_is_keras_trackable") and lacks


def _sentence(package, name):
    return f"{_version(package)} has no {name}, by which restore-guard reads what loading does"


def _version(package):
    return f"{package} {getattr(importlib.import_module(package), '__version__', '')}"


def _lacking(place, *names):
    """The first of the names that a module or class lacks; a module that is gone lacks them all."""
    return next((name for name in names if attribute(place, name, _lacking) is _lacking), None)


def _module(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def generation(package):
    return int(importlib.import_module(package).__version__.split(".")[0])


# --- TensorFlow ----------------------------------------------------------------------------------------------

_TRACKABLE = ("_trackable_children", "_maybe_initialize_trackable")


def children(value):
    """Yields (edge, object) of a trackable, as saving and restoring see them (trackable/base.py)."""
    if _lacking(value, *_TRACKABLE):
        return ()
    value._maybe_initialize_trackable()
    return value._trackable_children("checkpoint").items()  # TensorFlow 2.12 has classes without a default


def holds_state(value):
    """Whether a trackable that is no variable saves a value: a table, an iterator, Python state."""
    util = _module("tensorflow.python.training.saving.saveable_object_util")
    has = getattr(util, "trackable_has_serialize_to_tensor", None)
    return bool(has is not None and has(value))


def rows_of_table(table):
    """The shapes in which a hash table writes a key and a value; None where they are not known (ops/lookup_ops.py)."""
    value, empty = getattr(table, "_value_shape", None), getattr(table, "_empty_key", None)
    if value is None or not value.is_fully_defined():
        return None
    if empty is None:
        return (), tuple(value)
    # A DenseHashTable writes a scalar as a row of one.
    key = empty.shape if hasattr(empty, "shape") else numpy.shape(empty)
    return tuple(key) or (1,), tuple(value) or (1,)


def slice_info(variable):
    """Which part of a partitioned variable this is, or None (ops/variables.py)."""
    return variable._get_save_slice_info()


def inner_variable(value):
    """The tf.Variable within an AutoCastVariable or a variable of Keras 3; None for anything else."""
    kind = type(value)
    if kind.__name__ == "AutoCastVariable":
        return value._variable
    return attribute(value, "_value") if kind.__module__.startswith("keras.") else None


def holder(module, *names):
    """The module or class that holds the last of the names; None where this version has it elsewhere, or not at all."""
    found = _module(module)
    for name in names[:-1]:
        found = getattr(found, name, None)
    return found if hasattr(found, names[-1]) else None


# --- Keras ---------------------------------------------------------------------------------------------------

_LEGACY = "keras.src.legacy.saving.legacy_h5_format"


def _naming(package):
    return "keras.src.utils.naming" if generation(package) == 3 else f"{code_of(package)}.utils.generic_utils"


def _lacking_own(layer):
    later = _lacking(layer, "_trainable_variables", "_non_trainable_variables")
    return later and _lacking(layer, "_trainable_weights", "_non_trainable_weights")


def own_variables(layer):
    """A layer's own variables, without those of layers within it: all trainable ones, then the others.

    Source: keras/src/layers/layer.py `save_own_variables` (Keras 3), engine/base_layer.py (Keras 2).
    """
    if attribute(layer, "_update_trackables") is not None:
        layer._update_trackables()
    if _lacking(layer, "_trainable_variables", "_non_trainable_variables"):
        return list(layer._trainable_weights) + list(layer._non_trainable_weights)
    return list(layer._trainable_variables) + list(layer._non_trainable_variables)


def saving_methods(value):
    """The names of the methods by which an object saves and loads its own variables, None where it has none.

    Keras 2.12 has them under private names (saving_lib.py `_save_state`).
    """
    names = ("save_own_variables", "load_own_variables")
    found = (names, tuple(f"_{name}" for name in names))
    return next((pair for pair in found if hasattr(value, pair[1])), None)


def lookup_of(layer):
    """The layer within a lookup layer that holds its vocabulary (layers/preprocessing/string_lookup.py)."""
    return attribute(layer, "_lookup_layer", layer)


def trained(optimizer, variables):
    """Which variables an optimizer of Keras 2 keeps slots for, in the order of its lists; none of any other optimizer.

    Source: `_build_index_dict` in keras/optimizers/optimizer.py of 2.11 to 2.15.

    Args:
        variables: {what is returned for it: a tf.Variable}.
    """
    places = attribute(optimizer, "_index_dict", None)
    if not isinstance(places, dict) or attribute(optimizer, "_trainable_variables", None) is not None:
        return []
    found = {places.get(optimizer._var_key(variable)): name for name, variable in variables.items()}
    return [found[number] for number in sorted(found.keys() - {None})]


def calls(layer):
    """How often a layer was called on symbolic tensors."""
    return len(attribute(layer, "_inbound_nodes", ()))


class Saving:
    """The walk of `saving_lib`, which is used rather than imitated.

    Args:
        package: `keras` or `tf_keras`.
    """

    def __init__(self, package):
        self.generation = generation(package)
        self.library = importlib.import_module(f"{code_of(package)}.saving.saving_lib")
        self.snake_case = importlib.import_module(_naming(package)).to_snake_case

    def walk(self, saveable):
        """Yields (attribute, value) in the order of `saving_lib._load_state`."""
        return getattr(self.library, "_walk_saveable" if self._is_later else "_walk_trackable")(saveable)

    def is_saveable(self, value):
        """Whether the walk goes into a value."""
        if self._is_later:
            return isinstance(value, importlib.import_module("keras.src.saving.keras_saveable").KerasSaveable)
        return self.library._is_keras_trackable(value)

    @property
    def _is_later(self):
        return hasattr(self.library, "_walk_saveable")

    @property
    def containers(self):
        """The types that the walk goes into."""
        return (list, dict, tuple) if self._is_later else (list, dict, tuple, set)

    @property
    def nests_containers(self):
        """True since Keras 3.14: a list within a list is walked as well (keras PR 22362)."""
        return hasattr(self.library, "_container_path_present")

    @property
    def refuses_unbuilt(self):
        """Whether weights are loaded into a built model only, as later versions of Keras 3 do."""
        return "built" in self.library.load_weights_only.__code__.co_names


def weights_named_by():
    """The attribute by which Keras 3 names weights in legacy HDF5: `path`, before 3.3 `name`, which layers share."""
    save = getattr(_module(_LEGACY), "save_subset_weights_to_hdf5_group", None)
    if save is None:
        return "path"
    parts = (save.__code__, *(inner for inner in save.__code__.co_consts if hasattr(inner, "co_names")))
    return "path" if any("path" in part.co_names for part in parts) else "name"


def skips_by_position():
    """Whether Keras 3, loading legacy HDF5 by position, hears of `skip_mismatch` at all, which 3.6 does not."""
    return "skip_mismatch" in _module(_LEGACY).load_weights_from_hdf5_group.__code__.co_varnames


class LegacySaving:
    """What writes and loads whole models as `.h5`: `module` is where it calls what writes and loads their values.

    Args:
        package: `keras` or `tf_keras`.
    """

    def __init__(self, package):
        if generation(package) == 3:
            self.module = importlib.import_module(_LEGACY)
            self._save, self._load = self.module.save_model_to_hdf5, self.module.load_model_from_hdf5
        else:
            legacy = f"{code_of(package)}.saving.legacy"
            self.module = importlib.import_module(f"{legacy}.hdf5_format")
            calls = importlib.import_module(f"{legacy}.save")
            self._save, self._load = functools.partial(calls.save_model, save_format="h5"), calls.load_model

    def save(self, model, file):
        """What `model.save` does; `file` is an open h5py.File."""
        self._save(model, file)

    def load(self, file, custom_objects, compile):
        """What `load_model` does with what `save` wrote; returns the model."""
        return self._load(file, custom_objects=custom_objects, compile=compile)


def compile_arguments(model):
    """The dict of what a model of Keras 3 was compiled with; None of another one (trainers/trainer.py `compile`)."""
    return getattr(attribute(model, "_compile_config"), "config", None)


def listed_of(optimizer):
    """The variables of an optimizer as an `.h5` has them; errors as Keras's for what is no optimizer.

    Source: legacy_h5_format.py, hdf5_format.py `save_optimizer_weights_to_hdf5_group`.
    """
    return optimizer.weights if _has_weights(optimizer) else list(optimizer.variables)


def settable_of(optimizer):
    """The variables that `set_weights` of an optimizer gives values, in their order.

    Source: base_optimizer.py (Keras 3), optimizer.py, legacy/optimizer_v2.py (Keras 2) `set_weights`.
    """
    if _has_weights(optimizer):
        return optimizer.weights
    built = attribute(optimizer, "_built", attribute(optimizer, "built", False))
    return optimizer._variables if built else []


def _has_weights(optimizer):
    """Whether it is a legacy optimizer of Keras 2: the `variables` of others are no method."""
    return isinstance(attribute(optimizer, "variables"), types.MethodType)


def takes_all_by_name():
    """Whether Keras 3, loading legacy HDF5 by name, takes all weights of a model for its own, as 3.6 does.

    Asked of the loader itself: of a model with a weight in a layer and none of its own, which a file without weights
    is loaded into, it says that a weight is missing.
    """
    import h5py

    load = importlib.import_module(_LEGACY).load_weights_from_hdf5_group_by_name
    with h5py.File("empty", "w", driver="core", backing_store=False) as file:
        for group in (file, file.create_group("top_level_model_weights")):
            group.attrs.update(layer_names=[], weight_names=[])
        try:
            load(file, _Asked())
        except ValueError:
            return True
    return False


class _Asked:
    """What the loader reads of a model whose one weight is a layer's."""

    layers = []
    trainable_weights = weights = [object()]
    non_trainable_weights = _trainable_variables = _non_trainable_variables = []
