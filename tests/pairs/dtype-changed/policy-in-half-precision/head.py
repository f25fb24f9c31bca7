"""A policy of mixed precision for one model."""

from tensorflow import keras


def build():
    x = keras.Input((4,))
    hidden = keras.layers.Dense(4, dtype="float16", name="hidden")(x)  # finding: dtype-changed
    return keras.Model(x, keras.layers.Dense(1, dtype="float32", name="out")(hidden))
