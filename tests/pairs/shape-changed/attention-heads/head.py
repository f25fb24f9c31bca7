"""A transformer with more heads of the same total width."""

import tensorflow as tf
from tensorflow import keras


class EncoderBlock(keras.layers.Layer):
    def __init__(self, width, heads):
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(num_heads=heads, key_dim=width // heads)
        self.attention_norm = keras.layers.LayerNormalization()
        self.expand = keras.layers.Dense(2 * width, activation="relu")
        self.contract = keras.layers.Dense(width)
        self.output_norm = keras.layers.LayerNormalization()

    def call(self, inputs):
        hidden = self.attention_norm(inputs + self.attention(inputs, inputs))
        return self.output_norm(hidden + self.contract(self.expand(hidden)))


class Transformer(keras.Model):
    def __init__(self, width=8, heads=4):  # finding: shape-changed
        super().__init__()
        self.tokens = keras.layers.Embedding(40, width)
        self.lower = EncoderBlock(width, heads)
        self.upper = EncoderBlock(width, heads)
        self.head = keras.layers.Dense(4)

    def call(self, tokens):
        hidden = self.tokens(tokens)
        return self.head(self.upper(self.lower(hidden)))


def build():
    model = Transformer()
    model(tf.zeros((1, 6), dtype=tf.int32))
    return model
