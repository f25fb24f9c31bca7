"""A residual image model gets a normalisation."""

from tensorflow import keras


def convolution(inputs, filters):
    hidden = keras.layers.Conv2D(filters, 3, padding="same")(inputs)
    return keras.layers.ReLU()(hidden)


def build():
    inputs = keras.Input((12, 12, 3))
    stem = convolution(inputs, 8)
    hidden = convolution(stem, 8)
    hidden = convolution(hidden, 8)
    hidden = keras.layers.Add()([stem, hidden])
    hidden = keras.layers.GlobalAveragePooling2D()(hidden)
    return keras.Model(inputs, keras.layers.Dense(4)(hidden))
