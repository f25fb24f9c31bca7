"""Common code of two modules in a base class."""

import tensorflow as tf


class Shift(tf.Module):
    def __init__(self):
        super().__init__()
        self.amount = tf.Variable(tf.zeros([4]))
        self.parts = {"low": tf.Variable(0.0), "high": tf.Variable(1.0)}

    def __call__(self, x):
        return tf.clip_by_value(x + self.amount, self.parts["low"], self.parts["high"])


def build():
    return Shift()
