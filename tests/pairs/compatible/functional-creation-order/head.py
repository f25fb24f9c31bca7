"""Two branches of equal shape, made in another order."""

from tensorflow import keras


def build():
    inputs = keras.Input((8,))
    key = keras.layers.Dense(6, name="key")(inputs)
    query = keras.layers.Dense(6, name="query")(inputs)
    return keras.Model(inputs, keras.layers.Multiply()([query, key]))
