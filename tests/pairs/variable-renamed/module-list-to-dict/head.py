"""Per-country offsets."""

import tensorflow as tf


class Offsets(tf.Module):
    def __init__(self):
        super().__init__()
        self.global_offset = tf.Variable(tf.zeros([4]))
        self.offsets = {"de": tf.Variable(tf.zeros([4])), "fr": tf.Variable(tf.ones([4]))}  # finding: variable-renamed

    def __call__(self, x):
        return x + self.global_offset + self.offsets["de"] + self.offsets["fr"]


def build():
    return Offsets()
