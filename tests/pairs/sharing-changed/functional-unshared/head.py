"""Siamese branches stop sharing their encoder."""

from tensorflow import keras


def build():
    left, right = keras.Input((8,)), keras.Input((8,))
    encoder = keras.layers.Dense(6, activation="tanh")
    other = keras.layers.Dense(6, activation="tanh")  # finding: sharing-changed
    merged = keras.layers.Multiply()([encoder(left), other(right)])
    return keras.Model([left, right], keras.layers.Dense(1)(merged))
