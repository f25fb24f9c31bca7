"""A classifier that loses its auxiliary head."""

import tensorflow as tf
from tensorflow import keras


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.features = keras.layers.Dense(16, activation="relu")
        self.main_head = keras.layers.Dense(3)  # finding: variable-missing

    def call(self, inputs):
        hidden = self.features(inputs)
        return self.main_head(hidden)


def build():
    model = Classifier()
    model(tf.zeros((1, 8)))
    return model
