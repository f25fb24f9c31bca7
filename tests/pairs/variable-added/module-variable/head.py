"""A regressor without Keras gets a scale."""

import tensorflow as tf


class Linear(tf.Module):
    def __init__(self, inputs, outputs, name=None):
        super().__init__(name=name)
        self.w = tf.Variable(tf.random.normal([inputs, outputs]), name="w")
        self.b = tf.Variable(tf.zeros([outputs]), name="b")
        self.scale = tf.Variable(1.0, name="scale")  # finding: variable-added

    def __call__(self, x):
        return (x @ self.w + self.b) * self.scale


class Regressor(tf.Module):
    def __init__(self):
        super().__init__()
        self.hidden = Linear(8, 16)
        self.output = Linear(16, 1)
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)

    def __call__(self, x):
        return self.output(tf.nn.relu(self.hidden(x)))


def build():
    return Regressor()
