"""A gated layer, its parts made in another order."""

import tensorflow as tf
from tensorflow import keras


class Gated(keras.Model):
    def __init__(self, width=8):
        super().__init__()
        self.value = keras.layers.Dense(width)  # finding[keras3]: variable-misplaced
        self.query = keras.layers.Dense(width)

    def call(self, inputs):
        return self.query(inputs) * tf.sigmoid(self.value(inputs))


def build():
    model = Gated()
    model(tf.zeros((1, 8)))
    return model
