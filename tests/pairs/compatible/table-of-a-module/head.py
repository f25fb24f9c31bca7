"""A module keeps a table of words beside its variables."""

import tensorflow as tf


class Words(tf.Module):
    def __init__(self):
        super().__init__()
        self.numbers = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        self.random = tf.random.Generator.from_seed(1)
        self.vectors = tf.Variable(tf.random.normal((9, 2)))

    def vector(self, word):
        return self([word])[0]

    def __call__(self, words):
        return tf.gather(self.vectors, 1 + self.numbers.lookup(words))


def build():
    return Words()
