"""A layer that is tuned by two small matrices."""

from tensorflow import keras


def build():
    x = keras.Input((6,))
    y = keras.layers.Dense(6, name="up")(x)
    model = keras.Model(x, keras.layers.Dense(2, name="out")(y))
    if hasattr(keras.layers.Dense, "enable_lora"):
        model.get_layer("up").enable_lora(2)  # finding[keras3]: variable-added
    return model


# outputs: keras-weights, keras-archive same
