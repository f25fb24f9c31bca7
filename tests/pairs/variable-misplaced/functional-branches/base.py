"""Query and key of equal shape, their roles swapped."""

from tensorflow import keras


def build():
    inputs = keras.Input((5, 8))
    query = keras.layers.Dense(6, name="query")(inputs)
    key = keras.layers.Dense(6, name="key")(inputs)
    scores = keras.layers.Dot(axes=2)([query, key])
    return keras.Model(inputs, keras.layers.Softmax()(scores))
