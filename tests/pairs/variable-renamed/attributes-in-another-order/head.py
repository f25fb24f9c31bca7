"""Single-head attention, its layers made in another order."""

import tensorflow as tf
from tensorflow import keras


class Attention(keras.Model):
    def __init__(self, width=8):
        super().__init__()
        self.key = keras.layers.Dense(width, use_bias=False)
        self.query = keras.layers.Dense(width, use_bias=False)  # finding[keras3]: variable-renamed
        self.value = keras.layers.Dense(width, use_bias=False)

    def call(self, inputs):
        scores = tf.matmul(self.query(inputs), self.key(inputs), transpose_b=True)
        return tf.matmul(tf.nn.softmax(scores), self.value(inputs))


def build():
    model = Attention()
    model(tf.zeros((1, 5, 8)))
    return model
