"""Words are hashed into rows of a table."""

from tensorflow import keras


def build():
    words = keras.Input((2,), dtype="string")
    rows = keras.layers.Hashing(num_bins=16, salt=11, name="rows")(words)
    vectors = keras.layers.Embedding(16, 4, name="vectors")(rows)
    return keras.Model(words, keras.layers.Dense(1, name="score")(keras.layers.Flatten()(vectors)))
