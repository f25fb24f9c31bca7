"""Scores a feature vector."""

import tensorflow as tf
from tensorflow import keras


class Scorer(keras.Model):
    def __init__(self, width=12):
        super().__init__()
        self._dense = keras.layers.Dense(width, activation="tanh")
        self._norm = keras.layers.LayerNormalization()
        self._head = keras.layers.Dense(1)

    def call(self, inputs):
        return self._head(self._norm(self._dense(inputs)))


def build():
    model = Scorer()
    model(tf.zeros((1, 8)))
    return model
