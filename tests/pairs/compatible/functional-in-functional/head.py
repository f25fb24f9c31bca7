"""An inner functional model gets a name."""

from tensorflow import keras


def encoder():
    inputs = keras.Input((8,))
    hidden = keras.layers.Dense(6, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(4)(hidden), name="encoder")


def build():
    inputs = keras.Input((8,))
    return keras.Model(inputs, keras.layers.Dense(1)(encoder()(inputs)))
