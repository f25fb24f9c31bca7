"""Real checkpoint files, and what TensorFlow itself makes of them.

    python tests/checkpoints.py FOLDER [PAIR...]

Runs with the Python of a TensorFlow user. FOLDER/samples gets a small model in every format. For each pair of the
corpus, FOLDER/pairs/<name>/<restore path> gets what base.py saves, and FOLDER/truth.json what head.py restores
of it: {pair: {restore path: what `differential/truth.py` says, with the "file"}}.
"""

import concurrent.futures
import json
import os
import pickle
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from differential import oracle, truth

PAIRS = Path(__file__).parent / "pairs"
PATHS = ["tf-checkpoint", "keras-weights", "h5", "h5-by-name"]

MODEL = '''
import tensorflow as tf


class Small(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = tf.keras.layers.Dense(5, name="hidden")
        self.drop = tf.keras.layers.Dropout(0.5)
        self.norm = tf.keras.layers.BatchNormalization()
        self.top = tf.keras.layers.Dense(2, name="top")

    def call(self, inputs):
        return self.top(self.norm(self.drop(self.hidden(inputs))))


def build():
    model = Small()
    model(tf.zeros([1, 4]))
    return model


def functional():
    inputs = tf.keras.Input((4,))
    hidden = tf.keras.layers.Dense(5, name="hidden")(inputs)
    hidden = tf.keras.layers.Dropout(0.5)(hidden)
    norm = tf.keras.layers.BatchNormalization()(hidden)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2, name="top")(norm))
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def lookup():
    """A vocabulary that is not in the configuration."""
    words = tf.keras.layers.StringLookup()
    words.adapt(tf.constant(["x", "y"]))
    inputs = tf.keras.Input((1,), dtype="string")
    return tf.keras.Model(inputs, tf.keras.layers.Dense(2)(tf.keras.layers.Embedding(5, 3)(words(inputs))))


def twins():
    """Layers that only their names tell apart."""
    layers = [
        tf.keras.layers.Dense(4, name="twin_a"),
        tf.keras.layers.Dense(4, name="twin_b"),
        tf.keras.layers.Dense(4, name="twin_c"),
    ]
    return tf.keras.Sequential([tf.keras.Input((4,)), *layers])


class Tables(tf.Module):
    """Whatever else than numbers a checkpoint may hold."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        self.words = tf.Variable(["a", "", "longer"])
        self.half = tf.Variable([1.0, 2.0], dtype=tf.bfloat16)
        self.empty = tf.Variable(tf.zeros([0, 3]))
        self.generator = tf.random.Generator.from_seed(1)
        self.table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
        self.table.insert(["word"], [7])


def tables():
    return Tables()
'''


def main(folder, *pairs):
    folder = Path(folder).resolve()
    samples = folder / "samples"
    samples.mkdir(parents=True)
    (samples / "small.py").write_text(MODEL)
    # Before TensorFlow has started a thread of its own here, which would not be there in a forked child.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = dict(zip(pairs, pool.map(_save_pair, pairs, [folder / "pairs"] * len(pairs)), strict=True))
    _save_samples(samples)
    (folder / "truth.json").write_text(json.dumps(found, indent=1))


def _save_samples(folder):
    import importlib.util

    import numpy as np
    import tensorflow as tf

    spec = importlib.util.spec_from_file_location("small", folder / "small.py")
    small = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(small)
    model, compiled = small.build(), small.functional()
    tf.train.Checkpoint(model).save(str(folder / "checkpoint/ckpt"))
    tf.train.Checkpoint(model=compiled, optimizer=compiled.optimizer).save(str(folder / "named/ckpt"))
    _save_around(tf, model, small.build(), folder)
    model.save_weights(str(folder / "model.weights.h5"))
    compiled.save_weights(str(folder / "compiled.weights.h5"))
    compiled.save(str(folder / "compiled.keras"))
    compiled.save(str(folder / "compiled.h5"))
    small.lookup().save(str(folder / "lookup.keras"))
    os.rename(oracle.calls.save(model, "h5", folder, {}), folder / "weights_only.h5")
    twins = small.twins()
    tf.train.Checkpoint(twins).save(str(folder / "twins/ckpt"))
    twins.save_weights(str(folder / "twins.weights.h5"))
    _save_sharded(tf, str(folder / "checkpoint/ckpt-1"), str(folder / "sharded"))

    tables = small.tables()
    numbers = iter(tf.data.Dataset.range(3))
    next(numbers)
    tf.train.Checkpoint(tables, numbers=numbers).save(str(folder / "tables/ckpt"))
    tf.saved_model.save(tables, str(folder / "saved_model"))
    tf.saved_model.save(compiled, str(folder / "saved_keras"))

    tables.weight.assign([[1.0, np.nan], [np.inf, -np.inf]])
    tf.train.Checkpoint(tables).save(str(folder / "not_finite/ckpt"))

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable("scope/whole", [3, 2])
        tf.compat.v1.get_variable("parts", [4], partitioner=tf.compat.v1.fixed_size_partitioner(2))
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "tf1/ckpt"))


def _save_around(tf, model, other, folder):
    """What training scripts save with a model: counters, an optimizer, other models."""
    optimizer = tf.keras.optimizers.SGD(momentum=0.9)
    optimizer.apply_gradients([(tf.zeros_like(variable), variable) for variable in model.trainable_variables])
    step, best = tf.Variable(7, dtype="int64"), tf.Variable([0.5, 0.25])
    tf.train.Checkpoint(model=model, optimizer=optimizer, step=step, best=best).save(str(folder / "counted/ckpt"))
    trainer = tf.Module()
    trainer.model, trainer.optimizer, trainer.step, trainer.average = model, optimizer, step, other
    tf.train.Checkpoint(trainer=trainer, epoch=step).save(str(folder / "trainer/ckpt"))
    tf.train.Checkpoint(models=[model, tf.Variable(best)], step=step).save(str(folder / "listed/ckpt"))


def _save_sharded(tf, prefix, folder):
    """The same tensors in two shards, as a checkpoint of several machines has them."""
    os.mkdir(folder)
    reader = tf.train.load_checkpoint(prefix)
    names = sorted(reader.get_variable_to_shape_map())
    parts = []
    for number, held in enumerate((names[::2], names[1::2])):
        parts.append(f"{folder}/part-{number}")
        tensors = [tf.constant(reader.get_tensor(name)) for name in held]
        tf.raw_ops.SaveV2(prefix=parts[-1], tensor_names=held, shape_and_slices=[""] * len(held), tensors=tensors)
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=f"{folder}/ckpt-1")


class _Asked:
    """An oracle in a process of its own, with the folder's checkpoints kept."""

    def __init__(self):
        self.child = oracle._Child()

    def ask(self, op, **request):
        answer = self.child.ask({"op": op, **request})
        if "failed" in answer:
            raise RuntimeError(answer["failed"])
        return answer


def _save_pair(name, folder):
    folder = folder / name
    folder.mkdir(parents=True)
    asked = _Asked()
    try:
        saved, itself = truth.save(asked, PAIRS / name / "base.py", str(folder), PATHS)
        _, found = truth.restore(asked, saved, itself, PAIRS / name / "head.py", str(folder))
    finally:
        asked.child.stop()
    return {path: {**found[path], "file": _file(folder, path, saved)} for path in PATHS}


def _file(folder, path, saved):
    """What `oracle.py` saved by a path; "None" where it could not."""
    if path in saved["unsupported"]:
        return "None"
    return pickle.loads((folder / "files.pickle").read_bytes())[path]


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main(*sys.argv[1:])
