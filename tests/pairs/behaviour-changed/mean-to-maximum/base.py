"""Vectors of words are averaged."""

from tensorflow import keras


def build():
    words = keras.Input((7,), dtype="int32")
    vectors = keras.layers.Embedding(20, 4, name="vectors")(words)
    mean = keras.layers.GlobalAveragePooling1D(name="mean")(vectors)
    return keras.Model(words, keras.layers.Dense(2, name="topic")(mean))
