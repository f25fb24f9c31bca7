"""A layer that leaves one of its weights out of every weights file."""

from tensorflow import keras


class Pair(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(4,), name="scale")
        self.offset = self.add_weight(shape=(4,), name="offset")

    def call(self, x):
        return x * self.scale + self.offset

    def save_own_variables(self, store):
        store["0"] = self.scale.numpy()

    def load_own_variables(self, store):
        self.scale.assign(store["0"])


def build():
    x = keras.Input((4,))
    return keras.Model(x, Pair(name="pair")(x))
