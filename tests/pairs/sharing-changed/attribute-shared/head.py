"""Two branches start to share a layer."""

import tensorflow as tf
from tensorflow import keras


class Siamese(keras.Model):
    def __init__(self):
        super().__init__()
        self.left = keras.layers.Dense(6)
        self.right = self.left  # finding: sharing-changed
        self.score = keras.layers.Dense(1)

    def call(self, inputs):
        return self.score(self.left(inputs) * self.right(inputs))


def build():
    model = Siamese()
    model(tf.zeros((1, 8)))
    return model
