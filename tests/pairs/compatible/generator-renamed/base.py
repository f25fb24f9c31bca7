"""A random generator of the module's own: its state never decides."""

import tensorflow as tf


class Noisy(tf.Module):
    def __init__(self):
        super().__init__()
        self.noise = tf.random.Generator.from_seed(7)
        self.weight = tf.Variable([1.0, 2.0])


def build():
    return Noisy()
