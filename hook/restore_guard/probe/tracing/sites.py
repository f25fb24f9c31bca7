"""Which line of the user's source created a layer, module or variable."""

import collections
import functools
import itertools
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
        self.spots, self.created = {}, []

    def of(self, value):
        return self.at.get(id(value))

    def record(self, value):
        if id(value) in self.at:
            return
        spot = self.spot(value)
        if spot is not None:
            self._add(value, spot)

    def _add(self, value, spot):
        file, line = spot[:2]
        key = (file, line, type(value).__name__)
        number = self.counts[key]
        self.counts[key] += 1
        # The object is kept: a dead one's id would be given to another.
        self.alive.append(value)
        self.at[id(value)] = [file, line, number]
        self.created.append([self.spots.setdefault(spot, len(self.spots)), key[2], number])

    def spot(self, value):
        """(file, line, end line, column, end column) of what runs in the innermost frame in the user's source that
        is not in a method of the value itself; None in the place of what a Python before 3.11 does not know.
        """
        frame = sys._getframe(2)
        while frame is not None:
            code = frame.f_code
            if code.co_filename.startswith(self.root):
                own = code.co_varnames[:1]
                if not own or frame.f_locals.get(own[0]) is not value:
                    file = code.co_filename[len(self.root) :].replace(os.sep, "/")
                    return (file, frame.f_lineno, *_position(code, frame.f_lasti))
            frame = frame.f_back
        return None

    def trace(self):
        """All creations in their order, by which `restore_guard.building.cache` finds their sites in another layout."""
        return {"spots": list(self.spots), "created": self.created}

    def of_operations(self, variables):
        """Records the variables of a graph that the builder made itself: no creator scope hears those."""
        for variable in variables:
            for file, line, *_ in reversed(variable.op.traceback):
                if file.startswith(self.root):
                    self._add(variable, (file[len(self.root) :].replace(os.sep, "/"), line, *_UNKNOWN))
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


_UNKNOWN = (None, None, None)


@functools.cache
def _position(code, instruction):
    """(end line, column, end column) of an instruction, where Python knows it."""
    if not hasattr(code, "co_positions"):
        return _UNKNOWN
    return next(itertools.islice(code.co_positions(), instruction // 2, None), (None, *_UNKNOWN))[1:]


def _hear_new(base, record):
    own = base.__dict__.get("__new__")

    def __new__(cls, *args, **kwargs):
        new = own.__func__ if own is not None else super(base, cls).__new__
        value = new(cls) if new is object.__new__ else new(cls, *args, **kwargs)
        record(value)
        return value

    base.__new__ = __new__
