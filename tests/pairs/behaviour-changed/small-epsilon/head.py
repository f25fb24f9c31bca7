"""A normalisation by another epsilon."""

from tensorflow import keras


def build():
    x = keras.Input((5,))
    return keras.Model(x, keras.layers.LayerNormalization(epsilon=1e-1, name="norm")(x))


# outputs: tf-checkpoint, keras-weights, h5 differ; keras-archive same
