"""A pooled sequence model without its projection."""

import tensorflow as tf
from tensorflow import keras


class Pooled(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(30, 8)
        self.pool = keras.layers.GlobalMaxPooling1D()
        self.project = keras.layers.Dense(8)
        self.score = keras.layers.Dense(1)

    def call(self, tokens):
        return self.score(self.project(self.pool(self.embedding(tokens))))


def build():
    model = Pooled()
    model(tf.zeros((1, 5), dtype=tf.int32))
    return model
