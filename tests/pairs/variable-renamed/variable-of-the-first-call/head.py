"""A module whose variables are made by its first call."""

import tensorflow as tf

INPUTS = [{"shape": [3], "dtype": "float32"}]


class Regression(tf.Module):
    def __init__(self):
        super().__init__()
        self.slope = None

    def __call__(self, inputs):
        if self.slope is None:
            self.slope = tf.Variable(tf.random.normal((inputs.shape[-1], 2)))
            self.bias = tf.Variable(tf.zeros((2,)))  # finding: variable-renamed
        return tf.matmul(inputs, self.slope) + self.bias


def build():
    return Regression()
