"""A block with a way around it."""

import tensorflow as tf
from tensorflow import keras


class Block(keras.layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.inner = keras.layers.Dense(4, name="inner")

    def call(self, inputs):
        return inputs + tf.nn.leaky_relu(self.inner(inputs), 0.1)


def build():
    model = keras.Sequential([keras.Input((4,)), Block(name="block"), keras.layers.Dense(1, name="out")])
    return model
