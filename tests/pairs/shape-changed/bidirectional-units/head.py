"""A wider bidirectional tagger."""

from tensorflow import keras


def build():
    return keras.Sequential(
        [
            keras.Input((5, 8)),
            keras.layers.Bidirectional(keras.layers.LSTM(10, return_sequences=True)),  # finding: shape-changed
            keras.layers.Dense(3),
        ]
    )
