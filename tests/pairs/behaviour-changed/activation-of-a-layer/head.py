"""A branch of another shape of the same range."""

from tensorflow import keras


def build():
    x = keras.Input((5,))
    return keras.Model(x, keras.layers.Dense(3, activation="selu", name="hidden")(x))


# outputs: tf-checkpoint, keras-weights, h5 differ; keras-archive same
