"""Two inputs, one score."""

from tensorflow import keras


def build():
    user = keras.Input((8,))
    item = keras.Input((6,))
    merged = keras.layers.Concatenate()([user, item])
    hidden = keras.layers.Dense(16, activation="relu")(merged)
    hidden = keras.layers.Dropout(0.1)(hidden)  # finding[keras3]: variable-renamed
    score = keras.layers.Dense(1)(hidden)
    return keras.Model([user, item], score)
