"""Three projections; files of the fused one are split on load."""

import numpy as np
import tensorflow as tf
from tensorflow import keras


class Attend(keras.layers.Layer):
    def build(self, shape):
        self.q, self.k, self.v = (self.add_weight(shape=(4, 4), name=name) for name in "qkv")  # finding: variable-missing

    def load_own_variables(self, store):
        if len(store.keys()) == 1:
            for variable, part in zip((self.q, self.k, self.v), np.split(np.asarray(store["0"]), 3, axis=-1)):
                variable.assign(part)
        else:
            super().load_own_variables(store)

    def call(self, x):
        q, k, v = (tf.matmul(x, tf.convert_to_tensor(kernel)) for kernel in (self.q, self.k, self.v))
        return q * k + v


def build():
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(1, name="out")(Attend(name="attend")(x)))


# outputs: keras-weights same
