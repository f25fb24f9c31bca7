"""Two branches start to share their encoder."""

from tensorflow import keras


def build():
    left, right = keras.Input((8,)), keras.Input((8,))
    encoder = keras.layers.Dense(6, activation="tanh")
    merged = keras.layers.Multiply()([encoder(left), encoder(right)])  # finding: sharing-changed
    return keras.Model([left, right], keras.layers.Dense(1)(merged))
