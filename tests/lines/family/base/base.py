import dataclasses

import tensorflow as tf


@dataclasses.dataclass
class Options:
    width: int = 8
    head: int = 3
    norm: str = "layer"


class Normed:
    """Mixin: a normalisation at the entrance."""

    def make_norm(self, kind):
        if kind == "layer":
            self.norm = tf.keras.layers.LayerNormalization()
        else:
            self.norm = tf.keras.layers.BatchNormalization()


class BaseNet(Normed, tf.keras.Model):
    """What all nets share.

    Subclasses say how their body looks.
    """

    hidden = 8
    activation = "relu"

    def __init__(self, options):
        super().__init__()
        self.options = options
        self.make_norm(options.norm)
        self.body = self.make_body()
        self.head = self.make_head(options.head)

    def make_body(self):
        return tf.keras.layers.Dense(self.hidden, activation=self.activation)

    def make_head(self, size):
        return tf.keras.layers.Dense(size, name="head")

    def call(self, x):
        return self.head(self.body(self.norm(x)))


class WideNet(BaseNet):
    hidden = 12

    def make_body(self):
        inner = super().make_body()
        return Wide(inner, self.options.width)


class Wide(tf.keras.layers.Layer):
    def __init__(self, inner, width):
        super().__init__()
        self.inner = inner
        self.outer = tf.keras.layers.Dense(width)

    def call(self, x):
        return self.outer(self.inner(x))
