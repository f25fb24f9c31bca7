"""A deeper network."""

from tensorflow import keras


def build():
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(12, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
