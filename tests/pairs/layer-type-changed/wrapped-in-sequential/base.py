"""A classifier with a one-layer head."""

import tensorflow as tf
from tensorflow import keras


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.features = keras.layers.Dense(16, activation="relu")
        self.head = keras.layers.Dense(3)

    def call(self, inputs):
        return self.head(self.features(inputs))


def build():
    model = Classifier()
    model(tf.zeros((1, 8)))
    return model
