"""One fused projection."""

import tensorflow as tf
from tensorflow import keras


class Attend(keras.layers.Layer):
    def build(self, shape):
        self.fused = self.add_weight(shape=(4, 12), name="fused")

    def call(self, x):
        q, k, v = tf.split(tf.matmul(x, tf.convert_to_tensor(self.fused)), 3, axis=-1)
        return q * k + v


def build():
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(1, name="out")(Attend(name="attend")(x)))
