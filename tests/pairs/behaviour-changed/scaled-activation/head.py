"""A custom activation is scaled: no variable changes, the outputs do. Only a witness shows it."""

import tensorflow as tf
from tensorflow import keras


class Activation(keras.layers.Layer):
    def call(self, inputs):
        return 2.0 * tf.nn.elu(inputs)


def build():
    return keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), Activation(), keras.layers.Dense(1)])
