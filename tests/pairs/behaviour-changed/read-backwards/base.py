"""A sequence of readings, read by a recurrent layer."""

from tensorflow import keras


def build():
    readings = keras.Input((6, 3))
    state = keras.layers.LSTM(4, name="state")(readings)
    return keras.Model(readings, keras.layers.Dense(1, name="next")(state))
