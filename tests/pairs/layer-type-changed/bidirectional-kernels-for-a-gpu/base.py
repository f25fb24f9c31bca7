"""Speech, by kernels for a GPU where this Keras still has them."""

import tensorflow as tf

keras = tf.keras
layers = tf.compat.v1.keras.layers if hasattr(tf.compat.v1.keras.layers, "CuDNNLSTM") else keras.layers
LSTM, GRU = getattr(layers, "CuDNNLSTM", layers.LSTM), getattr(layers, "CuDNNGRU", layers.GRU)


def build():
    frames = keras.Input((7, 3))
    x = keras.layers.Bidirectional(LSTM(4, return_sequences=True), name="first")(frames)
    x = keras.layers.Bidirectional(GRU(4), name="second")(x)
    return keras.Model(frames, keras.layers.Dense(2, name="word")(x))
