"""A larger vocabulary."""

from tensorflow import keras

VOCABULARY = 100


def build():
    tokens = keras.Input((6,), dtype="int32")
    hidden = keras.layers.Embedding(VOCABULARY, 8)(tokens)
    hidden = keras.layers.LSTM(8)(hidden)
    return keras.Model(tokens, keras.layers.Dense(2)(hidden))
