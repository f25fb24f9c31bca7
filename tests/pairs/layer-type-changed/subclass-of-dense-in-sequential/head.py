"""A dense layer becomes a subclass of Dense."""

import tensorflow as tf
from tensorflow import keras


class MaskedDense(keras.layers.Dense):
    def call(self, inputs):
        return super().call(inputs) * tf.cast(inputs[..., :1] >= 0, "float32")


def build():
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            MaskedDense(12, activation="relu"),  # finding: layer-type-changed
            keras.layers.Dense(1),
        ]
    )
