import tensorflow as tf

from .layers import FeedForward, Mixer, Scale


class Block(tf.keras.layers.Layer):
    """One block: mixing, then a feed-forward part."""

    def __init__(self, hidden, **kwargs):
        super().__init__(**kwargs)
        self.mixer = Mixer()
        self.norm = Scale()
        self.feed = FeedForward(hidden)

    def call(self, x):
        x = x + self.mixer(self.norm(x))
        return x + self.feed(x)
