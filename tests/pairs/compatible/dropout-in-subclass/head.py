"""A subclassed model gets a Dropout."""

import tensorflow as tf
from tensorflow import keras


class Ranker(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense_1 = keras.layers.Dense(16, activation="relu")
        self.dense_2 = keras.layers.Dense(4)
        self.dropout = keras.layers.Dropout(0.2)

    def call(self, inputs, training=False):
        return self.dense_2(self.dropout(self.dense_1(inputs), training=training))


def build():
    model = Ranker()
    model(tf.zeros((1, 8)))
    return model
