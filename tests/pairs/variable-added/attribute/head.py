"""A ranker grows a layer."""

import tensorflow as tf
from tensorflow import keras


class Ranker(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense_1 = keras.layers.Dense(16, activation="relu")
        self.dense_2 = keras.layers.Dense(4)
        self.gate = keras.layers.Dense(4)  # finding: variable-added

    def call(self, inputs):
        hidden = self.dense_1(inputs)
        return self.dense_2(hidden) * tf.sigmoid(self.gate(hidden))


def build():
    model = Ranker()
    model(tf.zeros((1, 8)))
    return model
