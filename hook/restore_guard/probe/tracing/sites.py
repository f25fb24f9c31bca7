"""Which line of the user's source created a layer, module or variable."""

import collections
import functools
import itertools
import os
import sys

import tensorflow as tf

from .. import frameworks


class Sites:
    """Records creations; lines are of files below the folder `root`.

    A site is [file, line, n, frames]: the n-th creation (from 0) of its class at that line, so that a loop's layers
    differ; and all frames of those files, the innermost first, each [file, line, class of its self].
    """

    def __init__(self, root):
        self.root = os.path.realpath(root) + os.sep
        self.at, self.alive, self.counts = {}, [], collections.Counter()
        self.spots, self.stacks, self.created, self.objects, self.wrappers = {}, {}, [], [], []

    def of(self, value):
        # Keras 3 puts off making what its variables wrap until a symbolic call is over.
        while self.wrappers:
            wrapper = self.wrappers.pop()
            inner = getattr(wrapper, "_value", None)
            if inner is not None and id(wrapper) in self.at:
                self.at[id(inner)] = self.at[id(wrapper)]
        return self.at.get(id(value))

    def record(self, value):
        if id(value) not in self.at:
            stack = self.stack(value)
            if stack:
                self._add(value, stack)

    def record_object(self, value):
        """Hears of a module, layer or optimizer: others than variables are listed in their order."""
        self.record(value)
        if id(value) in self.at:
            self.objects.append([type(value).__name__, self.at[id(value)]])

    def record_wrapper(self, value):
        self.record(value)
        self.wrappers.append(value)

    def _add(self, value, stack):
        """`stack` has a spot and the class of `self` for each frame."""
        (file, line, *_), _ = stack[0]
        key = (file, line, type(value).__name__)
        number = self.counts[key]
        self.counts[key] += 1
        # The object is kept: a dead one's id would be given to another.
        self.alive.append(value)
        self.at[id(value)] = [file, line, number, [[spot[0], spot[1], kind] for spot, kind in stack]]
        spots = tuple((self.spots.setdefault(spot, len(self.spots)), kind) for spot, kind in stack)
        self.created.append([self.stacks.setdefault(spots, len(self.stacks)), key[2], number])

    def stack(self, value):
        """What runs in the user's source, the innermost frame first: (spot, class of its `self` or None) of each.

        A spot is (file, line, end line, column, end column), with None for what a Python before 3.11 does not know.
        Methods of the value itself are left out up to the first frame of another.
        """
        found = []
        frame = sys._getframe(2)
        while frame is not None:
            code = frame.f_code
            if code.co_filename.startswith(self.root):
                own = frame.f_locals.get(code.co_varnames[0]) if code.co_varnames else None
                if found or own is not value:
                    file = code.co_filename[len(self.root) :].replace(os.sep, "/")
                    spot = (file, frame.f_lineno, *_position(code, frame.f_lasti))
                    found.append((spot, _class(code.co_varnames[:1], own)))
            frame = frame.f_back
        return found

    def trace(self):
        """All creations in their order, by which `restore_guard.building.cache` finds their sites in another layout."""
        return {"spots": list(self.spots), "stacks": list(self.stacks), "created": self.created}

    def of_operations(self, variables):
        """Records the variables of a graph that the builder made itself: no creator scope hears those."""
        for variable in variables:
            stack = [
                ((file[len(self.root) :].replace(os.sep, "/"), line, *_UNKNOWN), None)
                for file, line, *_ in reversed(variable.op.traceback)
                if file.startswith(self.root)
            ]
            if stack:
                self._add(variable, stack)

    def listen(self):
        """Hears every new tf.Module, Keras layer and optimizer of this process, for good: a build's process is its own.

        `__new__` rather than `__init__`: Keras reads the signature of `__init__` to make configurations.
        """
        hear_new(tf.Module, self.record_object)
        for base in _STATES:
            hear_new(base, self.record)
        for package in ("keras", "tf_keras"):
            if package in sys.modules:
                hear_new(sys.modules[package].layers.Layer, self.record_object)
                hear_new(frameworks.optimizer_of(package), self.record_object)
            for base in getattr(sys.modules.get(package), "Variable", object).__mro__:
                if base.__module__.startswith("keras.") and base.__module__.endswith(".common.variables"):
                    hear_new(base, self.record_wrapper)

    def creator(self, next_creator, **kwargs):
        """A `tf.variable_creator_scope` creator that hears every tf.Variable."""
        variable = next_creator(**kwargs)
        self.record(variable)
        return variable


_UNKNOWN = (None, None, None)
# What holds values in a checkpoint and is no variable.
_STATES = (
    tf.lookup.experimental.MutableHashTable,
    tf.lookup.experimental.DenseHashTable,
    tf.data.Iterator,
    tf.train.experimental.PythonState,
)


@functools.cache
def _position(code, instruction):
    """(end line, column, end column) of an instruction, where Python knows it."""
    if not hasattr(code, "co_positions"):
        return _UNKNOWN
    return next(itertools.islice(code.co_positions(), instruction // 2, None), (None, *_UNKNOWN))[1:]


def _class(names, value):
    """The name of the class that a method runs for, None for a function."""
    if names == ("self",):
        return type(value).__name__
    return value.__name__ if names == ("cls",) and isinstance(value, type) else None


def hear_new(base, record):
    """Calls `record` with each new instance of a class, for good."""
    own = base.__dict__.get("__new__")

    def __new__(cls, *args, **kwargs):
        new = own.__func__ if own is not None else super(base, cls).__new__
        value = new(cls) if new is object.__new__ else new(cls, *args, **kwargs)
        record(value)
        return value

    base.__new__ = staticmethod(__new__)
