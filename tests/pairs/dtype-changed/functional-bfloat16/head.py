"""An image model in bfloat16."""

from tensorflow import keras


def build():
    inputs = keras.Input((12, 12, 3))
    hidden = keras.layers.Conv2D(8, 3, activation="relu", dtype="bfloat16")(inputs)  # finding: dtype-changed
    hidden = keras.layers.GlobalAveragePooling2D()(hidden)
    return keras.Model(inputs, keras.layers.Dense(2)(hidden))
