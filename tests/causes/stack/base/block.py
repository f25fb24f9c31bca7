import tensorflow as tf


class Attention(tf.keras.layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.query = tf.keras.layers.Dense(width)
        self.key = tf.keras.layers.Dense(width)
        self.value = tf.keras.layers.Dense(width)
        self.merge = tf.keras.layers.Dense(width)

    def call(self, x):
        return self.merge(tf.nn.softmax(self.query(x) * self.key(x)) * self.value(x))


class Block(tf.keras.layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.attn = Attention(width)
        self.grow = tf.keras.layers.Dense(2 * width)
        self.shrink = tf.keras.layers.Dense(width)

    def call(self, x):
        x = x + self.attn(x)
        return x + self.shrink(self.grow(x))
