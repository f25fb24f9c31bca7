"""Which line of the user's source created a layer, module or variable."""

import collections
import os
import sys

import tensorflow as tf


class Sites:
    """Records creations; lines are of files below the folder `root`.

    A site is [file, line, n]: the n-th creation (from 0) of its class at that line, so that a loop's layers differ.
    """

    def __init__(self, root):
        self.root = os.path.realpath(root) + os.sep
        self.at, self.alive, self.counts = {}, [], collections.Counter()

    def of(self, value):
        return self.at.get(id(value))

    def record(self, value):
        if id(value) in self.at:
            return
        site = self.line(value)
        if site is not None:
            self._add(value, site)

    def _add(self, value, site):
        key = (site, type(value).__name__)
        number = self.counts[key]
        self.counts[key] += 1
        # The object is kept: a dead one's id would be given to another.
        self.alive.append(value)
        self.at[id(value)] = [site[0], site[1], number]

    def line(self, value):
        """The innermost frame in the user's source that is not a method of the value itself."""
        frame = sys._getframe(2)
        while frame is not None:
            code = frame.f_code
            if code.co_filename.startswith(self.root):
                own = code.co_varnames[:1]
                if not own or frame.f_locals.get(own[0]) is not value:
                    return code.co_filename[len(self.root) :].replace(os.sep, "/"), frame.f_lineno
            frame = frame.f_back
        return None

    def of_operations(self, variables):
        """Records the variables of a graph that the builder made itself: no creator scope hears those."""
        for variable in variables:
            for file, line, *_ in reversed(variable.op.traceback):
                if file.startswith(self.root):
                    self._add(variable, (file[len(self.root) :].replace(os.sep, "/"), line))
                    break

    def listen(self):
        """Hears every new tf.Module, Keras layer and optimizer of this process, for good: a build's process is its own.

        `__new__` rather than `__init__`: Keras reads the signature of `__init__` to make configurations.
        """
        _hear_new(tf.Module, self.record)
        for package in ("keras", "tf_keras"):
            if package in sys.modules:
                _hear_new(sys.modules[package].layers.Layer, self.record)
                _hear_new(sys.modules[package].optimizers.Optimizer, self.record)

    def creator(self, next_creator, **kwargs):
        """A `tf.variable_creator_scope` creator that hears every tf.Variable."""
        variable = next_creator(**kwargs)
        self.record(variable)
        return variable


def _hear_new(base, record):
    own = base.__dict__.get("__new__")

    def __new__(cls, *args, **kwargs):
        new = own.__func__ if own is not None else super(base, cls).__new__
        value = new(cls) if new is object.__new__ else new(cls, *args, **kwargs)
        record(value)
        return value

    base.__new__ = __new__
