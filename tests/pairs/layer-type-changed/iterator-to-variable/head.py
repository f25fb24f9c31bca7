"""A trainer keeps its place in the data beside its variables."""

import tensorflow as tf


class Trainer(tf.Module):
    def __init__(self):
        super().__init__()
        self.feed = tf.Variable(0, dtype=tf.int64)  # finding: layer-type-changed
        self.weight = tf.Variable(tf.random.normal((3,)))


def build():
    return Trainer()
