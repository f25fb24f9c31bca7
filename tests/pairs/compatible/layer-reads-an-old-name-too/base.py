"""A layer that writes its variables under names of its own."""

from tensorflow import keras


class Scale(keras.layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), name="factor")
        self.shift = self.add_weight(shape=(shape[-1],), name="shift")

    def save_own_variables(self, store):
        store["factor"], store["shift"] = self.factor.numpy(), self.shift.numpy()

    def load_own_variables(self, store):
        self.factor.assign(store["factor"][...])
        self.shift.assign(store["shift"][...])

    def call(self, x):
        return x * self.factor + self.shift


def build():
    x = keras.Input((4,))
    return keras.Model(x, Scale(name="scale")(x))
