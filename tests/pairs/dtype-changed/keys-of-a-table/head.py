"""A module that counts words in a table of its own."""

import tensorflow as tf


class Words(tf.Module):
    def __init__(self):
        super().__init__()
        self.counts = tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, 0)  # finding: dtype-changed
        self.vectors = tf.Variable(tf.random.normal((9, 2)))


def build():
    return Words()
