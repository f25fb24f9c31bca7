import functools

import tensorflow as tf


def cell(kind, units):
    """A recurrent layer by its name."""
    if kind == "gru":
        return tf.keras.layers.GRU(units, return_sequences=True)
    return tf.keras.layers.LSTM(units, return_sequences=True)


lstm = functools.partial(cell, "lstm")


class Attend(tf.keras.layers.Layer):
    """Builds its layers when it knows how wide its input is."""

    def __init__(self, factor=2, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, shape):
        width = shape[-1]
        hidden = width * self.factor
        self.score = tf.keras.layers.Dense(hidden, activation="tanh")
        self.score.build(shape)
        self.context = self.add_weight(
            name="context",
            shape=(hidden,),
        )

    def call(self, x):
        weights = tf.nn.softmax(tf.reduce_sum(self.score(x) * self.context, axis=-1), axis=1)
        return tf.reduce_sum(x * weights[..., None], axis=1)
