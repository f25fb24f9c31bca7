"""Dropout does nothing where a model is served."""

from tensorflow import keras


def build():
    x = keras.Input((5,))
    dropped = keras.layers.Dropout(0.5)(keras.layers.Dense(8, activation="relu", name="hidden")(x))
    return keras.Model(x, keras.layers.Dense(3, name="out")(dropped))


# outputs: tf-checkpoint, keras-weights, h5 same
