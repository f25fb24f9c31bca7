"""A policy of mixed precision for one model."""

from tensorflow import keras


def build():
    x = keras.Input((4,))
    hidden = keras.layers.Dense(4, dtype="mixed_float16", name="hidden")(x)
    return keras.Model(x, keras.layers.Dense(1, dtype="float32", name="out")(hidden))
