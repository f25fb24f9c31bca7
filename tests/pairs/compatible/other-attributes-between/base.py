"""Attributes of different classes in another order."""

import tensorflow as tf
from tensorflow import keras


class Sequence(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(30, 8)
        self.recurrent = keras.layers.GRU(6)
        self.logits = keras.layers.Dense(2)

    def call(self, tokens):
        return self.logits(self.recurrent(self.embedding(tokens)))


def build():
    model = Sequence()
    model(tf.zeros((1, 5), dtype=tf.int32))
    return model
