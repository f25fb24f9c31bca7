"""A module looks keys up in a table of its own."""

import tensorflow as tf

KEYS = ["ash", "elm", "oak"]


class Trees(tf.Module):
    def __init__(self):
        super().__init__()
        places = tf.range(len(KEYS), dtype=tf.int64)
        self.places = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(KEYS, places), len(KEYS))
        self.heights = tf.Variable(tf.random.normal((len(KEYS) + 1, 2)))

    def __call__(self, names):
        return tf.gather(self.heights, self.places.lookup(names))


INPUTS = [{"shape": [], "dtype": "string"}]


def build():
    return Trees()


# outputs: tf-checkpoint differ
