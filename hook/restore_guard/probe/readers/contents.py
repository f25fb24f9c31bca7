"""What is found out about a checkpoint file while it is read."""

import numpy as np

_CHUNK = 1 << 24


class Contents:
    """Plain data in the making; `as_data` is what `restore_guard.building.checkpoint.Checkpoint` reads.

    Attributes:
        kind: tf-checkpoint, tf1-checkpoint, saved-model, weights-h5, sharded-weights, legacy-h5, keras-archive,
            keras-folder or orbax; None if unknown.
        file: the file, folder or prefix that was read.
        damage: a sentence for each thing that is broken; a file without any may be loaded.
        unverified: a sentence for each part that no checksum covers, so that a change of it cannot be seen.
        not_finite: {tensor: [how many NaN, how many infinite]}.
        tables: {address of a hash table that is not empty: what the names of its two tensors begin with}.
        notes: what a reader must know to understand the verdict.
        addresses: {variable: where the file keeps its value}, as `values.Values` takes it.
        failure: why nothing is known of the file, which is not its fault: its format is none that is read here.
        usage: what is wrong with the question itself, for example a folder with several checkpoints.
    """

    def __init__(self, file):
        self.kind, self.file = None, file
        self.usage = self.failure = None
        self.damage, self.unverified, self.notes, self.not_finite = [], [], [], {}
        self.tables = {}
        self.tensors = self.bytes = 0
        self.framework, self.variables, self.addresses = {}, [], {}
        self.object_graph = {"error": "the file holds no object graph"}
        self.keras_tree = self.h5_file = self.archive = self.saver_file = None

    def add_variable(self, path, shape, dtype, address, owner_name=None, seed=False):
        """Lists a variable; returns its position."""
        self.addresses[path] = address
        variable = {"path": path, "shape": list(shape), "dtype": dtype, "trainable": True, "seed": seed}
        self.variables.append({**variable, "owner_name": owner_name})
        return len(self.variables) - 1

    def take(self, name, value):
        """Counts what is not a number in a part of a tensor."""
        flat = value.reshape(-1)
        for start in range(0, flat.size, _CHUNK):
            part = flat[start : start + _CHUNK]
            try:
                counts = [int(np.isnan(part).sum()), int(np.isinf(part).sum())]
            except TypeError:  # texts, and whole numbers of the small types that NumPy does not know
                return
            if any(counts):
                before = self.not_finite.get(name, [0, 0])
                self.not_finite[name] = [a + b for a, b in zip(before, counts)]

    def as_data(self):
        names = ("kind", "file", "usage", "failure", "damage", "unverified", "notes", "not_finite", "tables")
        signature = {
            "framework": self.framework,
            "variables": self.variables,
            "object_graph": self.object_graph,
            "keras_tree": self.keras_tree,
            "h5_file": self.h5_file,
            "archive": self.archive,
            "saver_file": self.saver_file,
        }
        told = {name: getattr(self, name) for name in (*names, "tensors", "bytes", "addresses")}
        return {**told, "signature": signature if self.readable else None}

    @property
    def readable(self):
        """True where something was found that can be compared with a model."""
        return bool(self.variables or self.keras_tree or self.h5_file or "nodes" in self.object_graph)
