"""A normalisation by another epsilon."""

from tensorflow import keras


def build():
    x = keras.Input((5,))
    return keras.Model(x, keras.layers.LayerNormalization(epsilon=1e-3, name="norm")(x))
