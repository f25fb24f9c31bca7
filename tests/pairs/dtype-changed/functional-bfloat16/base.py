"""An image model in bfloat16."""

from tensorflow import keras


def build():
    inputs = keras.Input((12, 12, 3))
    hidden = keras.layers.Conv2D(8, 3, activation="relu")(inputs)
    hidden = keras.layers.GlobalAveragePooling2D()(hidden)
    return keras.Model(inputs, keras.layers.Dense(2)(hidden))
