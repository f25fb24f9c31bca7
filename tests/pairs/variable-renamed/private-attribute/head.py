"""Scores a feature vector."""

import tensorflow as tf
from tensorflow import keras


class Scorer(keras.Model):
    def __init__(self, width=12):
        super().__init__()
        self._projection = keras.layers.Dense(width, activation="tanh")  # finding: variable-renamed
        self._norm = keras.layers.LayerNormalization()
        self._head = keras.layers.Dense(1)

    def call(self, inputs):
        return self._head(self._norm(self._projection(inputs)))


def build():
    model = Scorer()
    model(tf.zeros((1, 8)))
    return model
