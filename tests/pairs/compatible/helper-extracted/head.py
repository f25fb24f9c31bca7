"""A convolutional model, its repeated block in a function."""

from tensorflow import keras


def convolution(inputs, filters):
    hidden = keras.layers.Conv2D(filters, 3, padding="same")(inputs)
    hidden = keras.layers.BatchNormalization()(hidden)
    return keras.layers.ReLU()(hidden)


def build():
    inputs = keras.Input((12, 12, 3))
    hidden = convolution(convolution(inputs, 8), 8)
    hidden = keras.layers.GlobalAveragePooling2D()(hidden)
    return keras.Model(inputs, keras.layers.Dense(4)(hidden))
