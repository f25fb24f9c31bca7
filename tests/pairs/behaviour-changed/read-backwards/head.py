"""A sequence of readings, read by a recurrent layer."""

from tensorflow import keras


def build():
    readings = keras.Input((6, 3))
    state = keras.layers.LSTM(4, go_backwards=True, name="state")(readings)
    return keras.Model(readings, keras.layers.Dense(1, name="next")(state))


# outputs: tf-checkpoint, keras-weights, h5 differ
