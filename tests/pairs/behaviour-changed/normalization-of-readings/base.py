"""Readings are scaled by a layer that computes its mean and scale once, and not when a checkpoint is restored."""

from tensorflow import keras


def build():
    readings = keras.Input((4,))
    scaled = keras.layers.Normalization(name="scaling")(readings)
    hidden = keras.layers.Dense(6, activation="relu", name="hidden")(scaled)
    return keras.Model(readings, keras.layers.Dense(1, name="risk")(hidden))
