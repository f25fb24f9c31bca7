"""Whether the user's code asks if it runs eagerly: in a strategy's graph it gets another answer than in training.

A function that TensorFlow or Keras traces is no different: it is in a graph of its own by every strategy.
"""

import functools
import os
import sys

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import ops

from .places import HERE, comes_with_python

_QUESTIONS = ("executing_eagerly", "executing_eagerly_outside_functions")
# What only an eager tensor can tell: code may try it out, and go on otherwise.
_VALUES = ("__bool__", "__iter__", "__len__", "__array__")


class Eagerness:
    """Hears from `listen` on what a build asks; what was imported before is none of it.

    Attributes:
        asked: what was asked, or None.
    """

    def __init__(self):
        self.asked = None

    def listen(self):
        for module in (tf, tf.compat.v1, tf.compat.v2, context, ops):
            for name in _QUESTIONS:
                if hasattr(module, name):
                    setattr(module, name, self._heard(f"tf.{name}", getattr(module, name)))
        for name in _VALUES:
            if name in vars(tf.Tensor):
                setattr(tf.Tensor, name, self._heard("a tensor's value", vars(tf.Tensor)[name]))
        missing = tf.Tensor.__getattr__

        def attribute(tensor, name):
            if name == "numpy":
                self._note("a tensor's value")
            return missing(tensor, name)

        tf.Tensor.__getattr__ = attribute

    def _heard(self, what, function):
        @functools.wraps(function)
        def ask(*args, **kwargs):
            self._note(what)
            return function(*args, **kwargs)

        return ask

    def _note(self, what):
        frame = sys._getframe(2)
        while _is_numpy(frame.f_code.co_filename) and frame.f_back is not None:
            frame = frame.f_back
        if self.asked is None and _is_users(frame.f_code.co_filename) and not tf.inside_function():
            self.asked = what


@functools.cache
def _is_numpy(file):
    """Whether it asks for the values of what it was given."""
    return file.startswith((os.path.dirname(np.__file__) + os.sep, "<__array_function__"))


@functools.cache
def _is_users(file):
    """Whether a file's code is neither a package's, nor Python's, nor the probe's."""
    return not (comes_with_python(file) or file.startswith((HERE, "<frozen ")))
