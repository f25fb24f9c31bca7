"""A projection that was a sum of two."""

import numpy as np
import tensorflow as tf
from tensorflow import keras


class Mix(keras.layers.Layer):
    def build(self, shape):
        self.both = self.add_weight(shape=(4, 3), name="both")  # finding: variable-renamed

    def load_own_variables(self, store):
        if len(store.keys()) == 2:
            self.both.assign(np.asarray(store["0"]) + np.asarray(store["1"]))
        else:
            super().load_own_variables(store)

    def call(self, x):
        return tf.matmul(x, tf.convert_to_tensor(self.both))


def build():
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(1, name="out")(Mix(name="mix")(x)))


# outputs: keras-weights same
