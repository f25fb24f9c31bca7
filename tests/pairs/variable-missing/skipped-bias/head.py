"""A bias that is gone, loaded with `skip_mismatch`: the whole layer is skipped where counts are compared."""

import tensorflow as tf
from tensorflow import keras

LOAD = {"skip_mismatch": True}


class Tower(keras.Model):
    def __init__(self):
        super().__init__()
        self.wide = keras.layers.Dense(16, use_bias=False, name="wide")  # finding: variable-missing
        self.top = keras.layers.Dense(4, name="top")

    def call(self, inputs):
        return self.top(self.wide(inputs))


def build():
    model = Tower()
    model(tf.zeros((1, 8)))
    return model
