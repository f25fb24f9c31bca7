"""Explicit names for the layers."""

from tensorflow import keras


def build():
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, activation="relu", name="lower"),
            keras.layers.Dense(16, activation="relu", name="upper"),
            keras.layers.Dense(1, name="score"),
        ]
    )
