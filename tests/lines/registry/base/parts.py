import tensorflow as tf

from .registry import register


def followed(factory):
    """The layers of a factory, with a normalisation behind each."""

    def make(**options):
        return tf.keras.Sequential([factory(**options), tf.keras.layers.LayerNormalization()])

    return make


@register("dense")
def dense(units=8, activation="relu"):
    return tf.keras.layers.Dense(units, activation=activation)


@register("gated")
class Gated(tf.keras.layers.Layer):
    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.gate = tf.keras.layers.Dense(units, activation="sigmoid")
        self.body = tf.keras.layers.Dense(units)

    def call(self, x):
        return self.gate(x) * self.body(x)


@register("norm")
def norm(scale=True):
    return tf.keras.layers.LayerNormalization(scale=scale)
