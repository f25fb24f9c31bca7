"""A wider tower, loaded with `skip_mismatch`: what has another shape keeps its initial value, each path in its way."""

import tensorflow as tf
from tensorflow import keras

LOAD = {"skip_mismatch": True}


class Mix(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(3,))
        self.mixing = self.add_weight(name="mixing", shape=(shape[-1], 3))

    def call(self, inputs):
        return tf.matmul(inputs, self.mixing) * self.scale


class Tower(keras.Model):
    def __init__(self):
        super().__init__()
        self.wide = keras.layers.Dense(32, name="wide")  # finding: shape-changed
        self.mix = Mix(name="mix")
        self.top = keras.layers.Dense(4, name="top")

    def call(self, inputs):
        return self.top(self.mix(self.wide(inputs)))


def build():
    model = Tower()
    model(tf.zeros((1, 8)))
    return model
