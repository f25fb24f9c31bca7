"""The encoder."""

import tensorflow as tf

from . import settings
from .blocks import Block


class Encoder(tf.keras.Model):
    def __init__(self, depth, hidden):
        super().__init__()
        self.enter = tf.keras.layers.Dense(settings.WIDTH)
        for number in range(depth):
            setattr(self, f"block_{number}", Block(hidden))
        self.depth = depth
        self.head = tf.keras.layers.Dense(3)

    def call(self, x):
        x = self.enter(x)
        for number in range(self.depth):
            x = getattr(self, f"block_{number}")(x)
        return self.head(x)


def build():
    model = Encoder(depth=settings.DEPTH, hidden=settings.HIDDEN)
    model(tf.zeros((1, 5)))
    return model
