"""A GRU in the older formulation has another bias."""

from tensorflow import keras


def build():
    inputs = keras.Input((5, 8))
    hidden = keras.layers.GRU(6, reset_after=False)(inputs)  # finding: shape-changed
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))
