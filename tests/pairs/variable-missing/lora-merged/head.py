"""A layer that was tuned by two small matrices."""

from tensorflow import keras


def build():
    x = keras.Input((6,))
    y = keras.layers.Dense(6, name="up")(x)
    model = keras.Model(x, keras.layers.Dense(2, name="out")(y))
    return model  # finding[keras3]: variable-missing


# outputs: keras-weights, keras-archive same
