"""A multi-task model that loses a task."""

from tensorflow import keras


def build():
    inputs = keras.Input((8,))
    hidden = keras.layers.Dense(16, activation="relu", name="shared")(inputs)
    price = keras.layers.Dense(1, name="price")(hidden)
    category = keras.layers.Dense(7, activation="softmax", name="category")(hidden)
    return keras.Model(inputs, [price, category])
