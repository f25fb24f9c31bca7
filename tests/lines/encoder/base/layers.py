"""Layers of the encoder."""

import tensorflow as tf

from . import settings


class Scale(tf.keras.layers.Layer):
    """Multiplies each feature by a learned number."""

    def build(self, shape):
        self.factor = self.add_weight(name="factor", shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.factor


class FeedForward(tf.keras.layers.Layer):
    def __init__(self, hidden=12, bias=True, **kwargs):
        super().__init__(**kwargs)
        self.grow = tf.keras.layers.Dense(hidden, activation="relu", use_bias=bias)
        self.shrink = tf.keras.layers.Dense(settings.WIDTH)

    def call(self, x):
        return self.shrink(self.grow(x))


class Mixer(tf.keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.query = tf.keras.layers.Dense(settings.WIDTH)
        self.key = tf.keras.layers.Dense(settings.WIDTH)
        self.value = tf.keras.layers.Dense(settings.WIDTH)

    def call(self, x):
        scores = tf.nn.softmax(self.query(x) * self.key(x))
        return scores * self.value(x)
