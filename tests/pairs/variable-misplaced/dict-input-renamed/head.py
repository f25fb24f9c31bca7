"""Features by name, each with a table; Keras names the tables in the order of their creation."""

from tensorflow import keras

FEATURES = {"town": 8, "shop": 8}


def build():
    inputs, parts = {}, []
    for name in sorted(FEATURES):
        inputs[name] = keras.Input((1,), name=name, dtype="int32")
        parts.append(keras.layers.Flatten()(keras.layers.Embedding(FEATURES[name], 3)(inputs[name])))
    return keras.Model(inputs, keras.layers.Dense(1, name="out")(keras.layers.Concatenate()(parts)))


# outputs: tf-checkpoint, keras-weights, h5 differ; keras-archive same
