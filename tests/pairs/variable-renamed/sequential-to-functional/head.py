"""The same network, written with the functional API."""

from tensorflow import keras


def build():
    inputs = keras.Input((8,))  # finding[keras3]: variable-renamed
    hidden = keras.layers.Dense(16, activation="relu")(inputs)
    hidden = keras.layers.Dense(16, activation="relu")(hidden)
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))
