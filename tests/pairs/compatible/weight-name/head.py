"""The name= of a weight changes, its attribute does not."""

import tensorflow as tf
from tensorflow import keras


class LowRank(keras.layers.Layer):
    def __init__(self, units, rank):
        super().__init__()
        self.units, self.rank = units, rank

    def build(self, input_shape):
        self.down = self.add_weight(shape=(input_shape[-1], self.rank), name="down_projection")
        self.up = self.add_weight(shape=(self.rank, self.units), name="up")
        self.offset = self.add_weight(shape=(self.units,), initializer="zeros", name="offset")

    def call(self, inputs):
        return tf.matmul(tf.matmul(inputs, self.down), self.up) + self.offset


def build():
    return keras.Sequential([keras.Input((8,)), LowRank(6, rank=2), keras.layers.Dense(1)])
