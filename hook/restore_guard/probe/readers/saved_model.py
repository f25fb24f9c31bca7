"""A SavedModel: a program, which restores nothing into other code, and a TensorFlow checkpoint, which does."""

import os

from .. import failures
from . import bundle

_PROGRAMS = ("saved_model.pb", "saved_model.pbtxt", "saved_model.cpb")
# What the root of an exported model has (keras/src/export/saved_model_export_archive.py).
_EXPORTED = {"variables", "trainable_variables", "non_trainable_variables", "_all_variables"}
_PARTS = ("saved_model_checksum", "graph_def_program_hash", "signature_def_hash", "saved_object_graph_hash")


def is_one(folder):
    return any(os.path.exists(os.path.join(folder, name)) for name in (*_PROGRAMS, "fingerprint.pb", "variables"))


def prefix(folder):
    """What the files of the checkpoint in it begin with."""
    return os.path.join(folder, "variables", "variables")


def read(folder, contents):
    contents.unverified.append(
        "of a SavedModel only the variables have checksums; the program has a fingerprint of its main parts"
    )
    bundle.read(prefix(folder), contents)
    contents.file = folder
    contents.kind = "saved-model" if contents.kind == "tf-checkpoint" else contents.kind
    edges = {name for name, _ in contents.object_graph.get("nodes", [{"children": []}])[0]["children"]}
    if edges >= _EXPORTED:
        contents.notes.append(
            "It was written by model.export(), which keeps the variables in lists, by their order: "
            "no tf.train.Checkpoint of the model restores them; `restore-guard migrate` can place them."
        )
    else:
        contents.notes.append(f"tf.train.Checkpoint restores its variables from {prefix('')}.")
    _check_program(folder, contents)


def _check_program(folder, contents):
    from tensorflow.core.protobuf import saved_model_pb2

    path = os.path.join(folder, _PROGRAMS[0])
    if not os.path.exists(path):
        if not any(os.path.exists(os.path.join(folder, name)) for name in _PROGRAMS):
            contents.damage.append("saved_model.pb is missing")
        return
    contents.bytes += os.path.getsize(path)
    try:
        with open(path, "rb") as file:
            program = saved_model_pb2.SavedModel.FromString(file.read())
        contents.framework["tensorflow"] = program.meta_graphs[0].meta_info_def.tensorflow_version
    except Exception as error:
        contents.damage.append(f"saved_model.pb cannot be read: {failures.sentence(error)}")
        return
    stated, found = _fingerprints(folder, contents)
    if stated is not None and found is not None and stated != found:
        contents.damage.append("saved_model.pb is not the one that fingerprint.pb was made for")


def _fingerprints(folder, contents):
    """(the program's hashes in fingerprint.pb, those that it has); None where there are none."""
    if not os.path.exists(os.path.join(folder, "fingerprint.pb")):
        return None, None
    try:
        from tensorflow.core.protobuf import fingerprint_pb2
        from tensorflow.python.saved_model.pywrap_saved_model import fingerprinting

        with open(os.path.join(folder, "fingerprint.pb"), "rb") as file:
            stated = fingerprint_pb2.FingerprintDef.FromString(file.read())
        found = fingerprint_pb2.FingerprintDef.FromString(fingerprinting.CreateFingerprintDef(folder))
    except ImportError:
        return None, None
    except Exception as error:
        contents.damage.append(f"fingerprint.pb cannot be read: {failures.sentence(error)}")
        return None, None
    # How the parts are hashed is another matter in another version of TensorFlow.
    parts = _PARTS if stated.version.producer == found.version.producer else _PARTS[:1]
    return [getattr(stated, part) for part in parts], [getattr(found, part) for part in parts]
