"""A dense layer becomes a subclass of Dense."""

import tensorflow as tf
from tensorflow import keras


class MaskedDense(keras.layers.Dense):
    def call(self, inputs):
        return super().call(inputs) * tf.cast(inputs[..., :1] >= 0, "float32")


class Ranker(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense_1 = keras.layers.Dense(16, activation="relu")
        self.dense_2 = MaskedDense(4)  # finding: layer-type-changed

    def call(self, inputs):
        return self.dense_2(self.dense_1(inputs))


def build():
    model = Ranker()
    model(tf.zeros((1, 8)))
    return model
