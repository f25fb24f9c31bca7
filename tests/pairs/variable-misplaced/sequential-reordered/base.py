"""Two named layers of equal shape change places."""

from tensorflow import keras


def build():
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(8, activation="relu", name="denoise"),
            keras.layers.Dense(8, activation="relu", name="mix"),
            keras.layers.Dense(1, name="score"),
        ]
    )
