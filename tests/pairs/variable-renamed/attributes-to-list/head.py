"""A multi-layer perceptron."""

import tensorflow as tf
from tensorflow import keras


class Perceptron(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = [keras.layers.Dense(units, activation="relu") for units in (16, 12)]  # finding: variable-renamed; finding[keras3]: not-saved
        self.head = keras.layers.Dense(1)

    def call(self, inputs):
        for layer in self.hidden:
            inputs = layer(inputs)
        return self.head(inputs)


def build():
    model = Perceptron()
    model(tf.zeros((1, 8)))
    return model
