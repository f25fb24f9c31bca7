"""Two branches of equal shape, made in another order."""

from tensorflow import keras


def build():
    inputs = keras.Input((8,))
    query = keras.layers.Dense(6, name="query")(inputs)
    key = keras.layers.Dense(6, name="key")(inputs)
    return keras.Model(inputs, keras.layers.Multiply()([query, key]))
