"""A layer is frozen for fine-tuning."""

import tensorflow as tf
from tensorflow import keras


class Block(keras.layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.expand = keras.layers.Dense(2 * width, activation="relu")
        self.norm = keras.layers.BatchNormalization()
        self.contract = keras.layers.Dense(width)

    def call(self, inputs, training=False):
        hidden = self.norm(self.expand(inputs), training=training)
        return inputs + self.contract(hidden)


class Tower(keras.Model):
    def __init__(self, width=8):
        super().__init__()
        self.first = Block(width)
        self.second = Block(width)
        self.head = keras.layers.Dense(3)

    def call(self, inputs, training=False):
        hidden = self.second(self.first(inputs, training=training), training=training)
        return self.head(hidden)


def build():
    model = Tower()
    model(tf.zeros((1, 8)))
    return model
