"""A matrix that was kept the other way round."""

import numpy as np
import tensorflow as tf
from tensorflow import keras


class Turned(keras.layers.Layer):
    def build(self, shape):
        self.matrix = self.add_weight(shape=(4, 4), name="matrix")

    def load_own_variables(self, store):
        self.matrix.assign(np.asarray(store["0"]).T)

    def call(self, x):
        return tf.matmul(x, tf.convert_to_tensor(self.matrix))


def build():
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(1, name="out")(Turned(name="turned")(x)))


# outputs: tf-checkpoint, h5 differ; keras-weights same
