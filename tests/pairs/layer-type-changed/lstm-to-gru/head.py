"""A recurrent model with another cell."""

import tensorflow as tf
from tensorflow import keras


class Tagger(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(30, 8)
        self.recurrent = keras.layers.GRU(6, return_sequences=True)  # finding: layer-type-changed
        self.tags = keras.layers.Dense(4)

    def call(self, tokens):
        return self.tags(self.recurrent(self.embedding(tokens)))


def build():
    model = Tagger()
    model(tf.zeros((1, 5), dtype=tf.int32))
    return model
