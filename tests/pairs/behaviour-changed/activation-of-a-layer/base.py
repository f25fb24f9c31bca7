"""A branch of another shape of the same range."""

from tensorflow import keras


def build():
    x = keras.Input((5,))
    return keras.Model(x, keras.layers.Dense(3, activation="elu", name="hidden")(x))
