"""A TensorFlow checkpoint: an index and its shards, with the object graph that tf.train.Checkpoint matches.

Source: tensorflow/core/util/tensor_bundle/tensor_bundle.h; tensorflow/core/protobuf/trackable_object_graph.proto.
"""

import collections
import glob
import os

import numpy as np
import tensorflow as tf
from google.protobuf import message
from tensorflow.core.protobuf import tensor_bundle_pb2, trackable_object_graph_pb2

from .. import failures
from . import table

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_ATTRIBUTES = "/.ATTRIBUTES/"
_VALUE = "VARIABLE_VALUE"
_KEYS = "-keys"
# Written beside Keras 2 layers; a restore reads it back and does nothing with it.
_UNUSED_ATTRIBUTE = "OBJECT_CONFIG_JSON"
# What is only saved, for no model has it: a counter of saves, and what Keras 2 adds to a SavedModel for itself.
_SKIPPED_EDGES = ("save_counter", "keras_api")
_CHUNK = 1 << 24


def read(prefix, contents):
    """Reads every tensor of a checkpoint, which verifies its checksum, and its object graph."""
    contents.kind = "tf-checkpoint"
    entries = _index(prefix, contents)
    if entries is None or not _shards(prefix, entries, contents):
        return
    try:
        reader = tf.train.load_checkpoint(prefix)
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    except Exception as error:
        contents.damage.append(f"TensorFlow cannot open it: {failures.sentence(error)}")
        return
    graph = None
    for name in sorted(shapes):
        value = _tensor(prefix, name, dtypes[name], contents)
        if name == _GRAPH and value is not None:
            graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(value)
    contents.tensors = len(shapes) - (_GRAPH in shapes)
    if graph is not None:
        _describe(graph, shapes, dtypes, contents)
    elif _GRAPH not in shapes:
        contents.kind = "tf1-checkpoint"
        contents.saver_file = {"entries": [_saver_entry(name, shapes, dtypes, contents) for name in sorted(shapes)]}


def part(prefix, name, spec, kind):
    """A slice of one of a Saver's tensors as an array: of some types none but the slices that were written can be read.

    Args:
        spec: which one, as `Variable.SaveSliceInfo` writes it (ops/variables.py).
        kind: the tensor's type.
    """
    # A graph of its own: the program may have switched eager execution off.
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        read = tf.raw_ops.RestoreV2(prefix=prefix, tensor_names=[name], shape_and_slices=[spec], dtypes=[kind])
        return session.run(read[0])


def _saver_entry(name, shapes, dtypes, contents):
    """A tensor as `saver_file.read` gives a model's; TensorFlow puts the parts of a partitioned one together."""
    position = contents.add_variable(name, shapes[name], dtypes[name].name, name)
    return {"name": name, "variable": position, "shape": list(shapes[name])}


def _index(prefix, contents):
    """{key: BundleEntryProto}, or None where the index is missing or damaged."""
    name = os.path.basename(prefix) + ".index"
    try:
        found = table.read(f"{prefix}.index")
        header = tensor_bundle_pb2.BundleHeaderProto.FromString(found.pop(b""))
        entries = {key: tensor_bundle_pb2.BundleEntryProto.FromString(value) for key, value in found.items()}
    except FileNotFoundError:
        contents.damage.append(f"{name} is missing")
    except KeyError:
        contents.damage.append(f"{name} is damaged: it has no header")
    except (table.Damaged, OSError, message.DecodeError) as error:
        contents.damage.append(f"{name} is damaged: {error}")
    else:
        held, count = collections.defaultdict(list), header.num_shards
        for entry in entries.values():
            held[entry.shard_id].append(entry)
        strange = [number for number in held if not 0 <= number < count]
        there = len(glob.glob(f"{glob.escape(prefix)}.data-*-of-*"))
        if strange:
            contents.damage.append(f"{name} is damaged: it places a tensor in shard {strange[0]} of {count}")
        elif count > there + len(held):  # never gone through: it may be any number
            contents.damage.append(f"{name} tells of {count} shards, of which {there} are there")
        else:
            return {_shard(prefix, number, count): held[number] for number in range(count)}
    return None


def _shard(prefix, number, count):
    return f"{prefix}.data-{number:05d}-of-{count:05d}"


def _shards(prefix, entries, contents):
    """Whether all shards are there, each as long as the index says, with nothing between the tensors."""
    whole = True
    for file, held in entries.items():
        name = os.path.basename(file)
        try:
            size = os.path.getsize(file)
            gaps, end = _gaps(held)
            with open(file, "rb") as shard:
                strange = any(_is_filled(shard, start, stop) for start, stop in gaps)
        except OSError as error:
            missing = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
            contents.damage.append(f"{name} {missing}: {len(held)} tensors are in it")
            whole = False
            continue
        contents.bytes += size
        if size < end:
            contents.damage.append(f"{name} is cut off: it has {size} of at least {end} bytes")
        elif size > end:
            contents.damage.append(f"{name} has {size - end} bytes too many at its end")
        elif strange:
            contents.damage.append(f"{name} has bytes that belong to no tensor")
    return whole


def _gaps(held):
    """([(start, stop) between tensors], where the last one ends): a writer may align tensors with zeros."""
    gaps, end = [], 0
    for entry in sorted(held, key=lambda entry: (entry.offset, entry.size)):
        if entry.offset > end:
            gaps.append((end, entry.offset))
        end = max(end, entry.offset + entry.size)
    return gaps, end


def _is_filled(file, start, stop):
    file.seek(start)
    while start < stop:
        part = file.read(min(stop - start, _CHUNK))
        if any(part) or not part:
            return bool(part)
        start += len(part)
    return False


def _tensor(prefix, name, dtype, contents):
    """Reads one tensor, by the operation that a restore uses; None where that fails."""
    try:
        (tensor,) = tf.raw_ops.RestoreV2(prefix=prefix, tensor_names=[name], shape_and_slices=[""], dtypes=[dtype])
    except tf.errors.ResourceExhaustedError:
        raise
    except Exception as error:
        contents.damage.append(f"{name.replace(_ATTRIBUTES + _VALUE, '')} cannot be read: {failures.sentence(error)}")
        return None
    if dtype.is_floating or dtype.is_complex:
        contents.take(name.replace(_ATTRIBUTES + _VALUE, ""), np.asarray(tensor))
    return tensor.numpy() if name == _GRAPH else None


def _describe(graph, shapes, dtypes, contents):
    """The object graph as `object_graph.read` gives a model's."""
    kept = _reached(graph)
    numbers = {node: position for position, node in enumerate(kept)}
    nodes, told, variables = [], set(), {}
    for number in kept:
        node = graph.nodes[number]
        variable = None
        for attribute in node.attributes:
            key = attribute.checkpoint_key
            told.add(key)
            if attribute.name != _VALUE:
                continue
            if key in variables:  # two objects that are restored from one value
                variable = variables[key]
                continue
            if key not in shapes:
                contents.damage.append(f"{key} is missing, though the object graph names it")
                continue
            full_name = attribute.full_name.split(":")[0]
            variable = variables[key] = contents.add_variable(
                key.replace(_ATTRIBUTES + _VALUE, ""),
                shapes[key],
                dtypes[key].name,
                key,
                owner_name=full_name.split("/")[-2] if "/" in full_name else None,
                seed=_is_seed_state(full_name, shapes[key], dtypes[key]),
            )
        nodes.append(
            {
                "type": "Variable" if variable is not None else "Object",
                "variable": variable,
                "children": [
                    [child.local_name, numbers[child.node_id]]
                    for child in node.children
                    if child.local_name not in _SKIPPED_EDGES
                ],
                "slots": [
                    [slot.slot_name, numbers[slot.original_variable_node_id], numbers[slot.slot_variable_node_id]]
                    for slot in node.slot_variables
                ],
            }
        )
    contents.object_graph = {"nodes": nodes}
    contents.saver_file = {"entries": _by_full_name(graph, kept, variables, shapes), "by_full_name": True}
    others = sorted(name for name in shapes if _is_other(name, told))
    contents.tables = _tables(others, shapes)
    if others:
        contents.notes.append(
            f"{len(others)} of its tensors are no variables but the state of tables, iterators or the like "
            f"({', '.join(others[:3])}): they are whole; whether they restore is not judged."
        )


def _by_full_name(graph, kept, variables, shapes):
    """What a Saver finds in an object-based checkpoint: the last variable of each name.

    Source: tensorflow/python/training/saver.py `Saver.restore`, `object_graph_key_mapping`.
    """
    attributes = (attribute for number in kept for attribute in graph.nodes[number].attributes)
    named = {attribute.full_name: attribute.checkpoint_key for attribute in attributes}
    return [
        {"name": name, "variable": variables[key], "shape": list(shapes[key])}
        for name, key in sorted(named.items())
        if name and key in variables
    ]


def _reached(graph):
    """Numbers of the nodes that a restore looks at, in the file's order: children first, then slot variables."""
    found, queue = {0}, [0]
    for number in queue:
        node = graph.nodes[number]
        below = [child.node_id for child in node.children if child.local_name not in _SKIPPED_EDGES]
        below += [slot.slot_variable_node_id for slot in node.slot_variables]
        below += [slot.original_variable_node_id for slot in node.slot_variables]
        queue += [child for child in dict.fromkeys(below) if child not in found]
        found.update(below)
    return sorted(found)


def _is_seed_state(full_name, shape, dtype):
    """As `witness.is_seed_state`: the state of a random generator never decides an outcome."""
    leaf = full_name.split("/")[-1]
    return len(shape) == 1 and dtype.is_integer and leaf.startswith(("seed_generator_state", "StateVar"))


def _is_other(name, told):
    if name == _GRAPH or name.endswith(_UNUSED_ATTRIBUTE) or name.split("/")[0] in _SKIPPED_EDGES:
        return False
    return not (name.endswith(_ATTRIBUTES + _VALUE) and name in told)


def _tables(names, shapes):
    """{address of a hash table that is not empty: what the names of its keys and its values begin with}.

    Source: tensorflow/python/ops/lookup_ops.py `MutableHashTable`, `DenseHashTable` (`_serialize_to_tensors`).
    """
    found = {}
    for name in names:
        address, inner, attribute = name.partition(_ATTRIBUTES)
        if inner and attribute.endswith(_KEYS) and shapes[name][0]:
            found[address] = name.removesuffix(_KEYS)
    return found


def prefixes(folder):
    """The checkpoints in a folder, by their index, or by their shards where that is missing."""
    files = glob.glob(os.path.join(glob.escape(folder), "*.index"))
    files += glob.glob(os.path.join(glob.escape(folder), "*.data-*-of-*"))
    return sorted({prefix_of(file) for file in files})


def prefix_of(path):
    """The prefix that a file of a checkpoint belongs to; the path itself where it is none."""
    root, extension = os.path.splitext(path)
    return root if extension in (".index", ".meta") or extension.startswith(".data-") else path


def is_prefix(path):
    return os.path.exists(f"{path}.index") or bool(glob.glob(f"{glob.escape(path)}.data-*-of-*"))
