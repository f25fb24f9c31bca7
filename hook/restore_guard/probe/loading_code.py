"""The code of TensorFlow and Keras that the simulation imitates, and whether this version's is known.

`loading_code.json` has what each released version has (made by scripts/loading-code). Code that no release had is not
imitated for certain: a nightly build, a release after this one of restore-guard, a patched installation.
"""

import ast
import functools
import hashlib
import json
import os

KNOWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loading_code.json")

_TRACKING = {
    "python/checkpoint/restore.py": ["*"],
    "python/checkpoint/checkpoint.py": ["_CheckpointRestoreCoordinator", "TrackableSaver.restore", "Checkpoint"],
    "python/trackable/base.py": ["Trackable"],
    "python/trackable/autotrackable.py": ["AutoTrackable"],
    "python/trackable/data_structures.py": ["*"],
}
_SAVER = {
    "python/training/saver.py": [
        *("BaseSaverBuilder", "BulkSaverBuilder"),
        *("Saver.__init__", "Saver.build", "Saver.restore"),
    ],
    "python/training/saving/saveable_object_util.py": [
        *("ReferenceVariableSaveable", "ResourceVariableSaveable"),
        *("saveable_objects_for_op", "op_list_to_dict", "validate_and_slice_inputs"),
    ],
}
# Keras 3 and Keras 2 have their own files; what a version has not counts as being absent.
_EDGES = {
    "backend/tensorflow/trackable.py": ["*"],
    "backend/tensorflow/layer.py": ["TFLayer"],
    "backend/tensorflow/optimizer.py": ["TFOptimizer.__init__", "TFOptimizer.add_variable_from_reference"],
    "engine/base_layer.py": ["Layer.__setattr__", "Layer._trackable_children", "Layer._flatten_modules"],
    "engine/functional.py": [
        *("Functional._layer_checkpoint_dependencies", "Functional._trackable_children"),
        "Functional._lookup_dependency",
    ],
    "engine/training.py": ["Model.__setattr__", "Model._trackable_children"],
}
# The private ones are those of Keras 2.12.
_OWN = ("save_own_variables", "load_own_variables", "_save_own_variables", "_load_own_variables")
_WALK = {
    "saving/saving_lib.py": [
        *("load_weights_only", "save_weights_only", "_save_state", "_load_state"),
        *("_save_container_state", "_load_container_state", "_container_path_present", "_get_unique_name", "_name_key"),
        *("_walk_saveable", "_walk_trackable", "_is_keras_trackable", "get_attr_skipset"),
        *("H5IOStore", "ShardedH5IOStore", "H5Entry", "_raise_loading_failure"),
    ],
    "saving/saving_api.py": ["load_weights", "save_weights"],
    "layers/layer.py": ["Layer.save_own_variables", "Layer.load_own_variables"],
    "optimizers/base_optimizer.py": ["BaseOptimizer.save_own_variables", "BaseOptimizer.load_own_variables"],
    "engine/base_layer.py": [f"Layer.{name}" for name in _OWN],
    "optimizers/optimizer.py": [f"_BaseOptimizer.{name}" for name in _OWN],
}
_ARCHIVE = {
    "saving/saving_lib.py": [
        *("save_model", "load_model", "_load_model_from_fileobj", "_load_model_from_dir", "_model_from_config"),
    ],
    "saving/serialization_lib.py": ["serialize_keras_object", "deserialize_keras_object", "_retrieve_class_or_fn"],
}
_LISTS = [
    *("save_weights_to_hdf5_group", "save_subset_weights_to_hdf5_group", "load_weights_from_hdf5_group"),
    *("load_subset_weights_from_hdf5_group", "_set_weights", "_legacy_weights"),
    *("preprocess_weights_for_loading", "_convert_rnn_weights"),
    *("save_attributes_to_hdf5_group", "load_attributes_from_hdf5_group"),
]
_LEGACY = ("legacy/saving/legacy_h5_format.py", "saving/legacy/hdf5_format.py")
_H5 = dict.fromkeys(_LEGACY, _LISTS)
_BY_NAME = {file: [*_LISTS, "load_weights_from_hdf5_group_by_name"] for file in _LEGACY}


def _joined(one, other):
    return {file: [*one.get(file, []), *other.get(file, [])] for file in (*one, *other)}


# {package: {restore path: {file: names in it, or * for all}}}
CODE = {
    "tensorflow": {"tf-checkpoint": _TRACKING, "tf1-saver": _SAVER},
    "keras": {
        "tf-checkpoint": _EDGES,
        "keras-weights": _WALK,
        "keras-archive": _joined(_WALK, _ARCHIVE),
        "h5": _H5,
        "h5-by-name": _BY_NAME,
    },
}
CODE["tf_keras"] = CODE["keras"]


def unfamiliar(packages):
    """{restore path: the sentence that says whose loading code is not known}.

    Args:
        packages: {name: (its folder, its version)} of TensorFlow and of the Keras that a model is of.
    """
    found = {}
    for package, (folder, version) in packages.items():
        for path in _unknown(package, folder):
            found.setdefault(path, f"{package} {version} loads by code that this restore-guard does not know")
    return found


@functools.cache
def _unknown(package, folder):
    """The restore paths for which the code of an installed package is that of no released version."""
    with open(KNOWN, encoding="utf-8") as file:
        known = json.load(file)[package]
    read = functools.partial(_read, folder)
    unknown = []
    for path, code in CODE[package].items():
        released = {digest for digests in known.values() for digest in digests[path]}
        # Reading is cheap; what is the same file, byte for byte, need not be understood.
        if of_files(read, code) not in released and of_functions(read, code) not in released:
            unknown.append(path)
    return tuple(unknown)


def _read(folder, file):
    """A file of a package; None where there is none. Keras has its own in `src`, since 2.13."""
    for place in (os.path.join(folder, "src", file), os.path.join(folder, file)):
        if os.path.exists(place):
            with open(place, "rb") as opened:
                return opened.read()
    return None


def of_files(read, code):
    """The digest of whole files.

    Args:
        read: gives the bytes of a file of the package, None where there is none.
        code: {file: names}, of `CODE`.
    """
    found = hashlib.sha256()
    for file in code:
        found.update(hashlib.sha256(read(file) or b"").digest())
    return found.hexdigest()[:_LENGTH]


def of_functions(read, code):
    """The digest of what `code` names: comments, docstrings, layout and the texts of errors do not count."""
    found = hashlib.sha256()
    for file, names in code.items():
        content = read(file)
        tree = ast.parse(content) if content is not None else ast.Module([], [])
        for name in names:
            node = tree if name == "*" else _named(tree, name.split("."))
            found.update(f"{file}:{name}:".encode())
            for word in _words(node):
                found.update(word.encode())
    return found.hexdigest()[:_LENGTH]


_LENGTH = 16
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _named(tree, names):
    """The definition of a function, class or method; None where there is none."""
    for node in ast.walk(tree) if len(names) == 1 else tree.body:
        if isinstance(node, _DEFINITIONS) and node.name == names[0]:
            return node if len(names) == 1 else _named(ast.Module(node.body, []), names[1:])
    return None


def _words(node):
    """The words of a piece of code, the same ones in every version of Python that reads it."""
    if isinstance(node, list):
        yield "["
        for item in node:
            yield from _words(item)
        yield "]"
    elif not isinstance(node, ast.AST):
        yield repr(node)
    elif isinstance(node, ast.Raise):
        cause = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        yield "Raise"
        yield from _words(cause)
    else:
        yield type(node).__name__
        for field in sorted(node._fields):
            value = getattr(node, field, None)
            if field == "body" and isinstance(node, (*_DEFINITIONS, ast.Module)):
                value = _without_docstring(value)
            # Newer versions of Python have more fields, which are empty in code that older ones read.
            if field not in _IGNORED and value is not None and value != []:
                yield field
                yield from _words(value)


_IGNORED = ("ctx", "kind", "type_comment", "returns", "annotation")


def _without_docstring(body):
    text = getattr(body[0], "value", None) if body and isinstance(body[0], ast.Expr) else None
    return body[1:] if isinstance(text, ast.Constant) and isinstance(text.value, str) else body
