"""The values in a checkpoint file, one at a time and by the name that `checkpoint_file.read` gives each."""

import contextlib
import os
import tempfile
import zipfile

import h5py
import numpy as np
import tensorflow as tf

from . import archive, bundle, hdf5, saved_model, sharded

_COUNTER = "save_counter/.ATTRIBUTES/VARIABLE_VALUE"


class Values:
    """A checkpoint that is open for reading; a context manager.

    Args:
        file: what `Contents.file` says.
        kind: what `Contents.kind` says.
        addresses: {name of a variable: where the file keeps its value; of a part of a Saver's tensor [where the file
            keeps that, which part, as TensorFlow writes slices]}.
    """

    def __init__(self, file, kind, addresses):
        self.file, self.kind, self.addresses = file, kind, addresses

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            if self.kind in ("tf-checkpoint", "tf1-checkpoint", "saved-model"):
                prefix = saved_model.prefix(self.file) if self.kind == "saved-model" else self.file
                self._reader = tf.train.load_checkpoint(prefix)
                self._read = self._reader.get_tensor
            elif self.kind == "sharded-weights":
                self._opened = sharded.Opened(self.file, stack)
                self._read = self._dataset
            else:
                self._opened = h5py.File(stack.enter_context(_hdf5(self.file)), "r")
                stack.callback(self._opened.close)
                self._read = self._dataset
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def __contains__(self, name):
        return name in self.addresses

    def get(self, name):
        """The value as an array.

        Raises:
            KeyError, tf.errors.OpError, OSError: it is not there, or damaged.
        """
        address = self.addresses[name]
        return np.asarray(self._read(address) if isinstance(address, str) else self._part(*address))

    def _part(self, address, part):
        return bundle.part(self.file, address, part, self._reader.get_variable_to_dtype_map()[address])

    def table(self, prefix):
        """The keys and the values of a hash table, by what `Contents.tables` says of it; errors as `get`."""
        return tuple(np.asarray(self._reader.get_tensor(f"{prefix}-{part}")) for part in ("keys", "values"))

    def counter(self):
        """How many `tf.train.Checkpoint.save` had written with this one; None where `write` did, which does not count.

        Of another kind, it becomes the first one that is saved.
        """
        if self.kind != "tf-checkpoint":
            return 1
        if not self._reader.has_tensor(_COUNTER):
            return None
        return int(self._reader.get_tensor(_COUNTER))

    def _dataset(self, address):
        dataset = self._opened[address]
        return hdf5.typed(dataset, dataset[()])


@contextlib.contextmanager
def _hdf5(path):
    """A path or file object that HDF5 opens: the weights of a `.keras` file are unpacked."""
    if os.path.isdir(path):
        yield os.path.join(path, archive.WEIGHTS)
        return
    if not zipfile.is_zipfile(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as packed:
        yield os.path.join(folder, packed.extract(archive.WEIGHTS, folder))
