import tensorflow as tf


def dense(size):
    return tf.keras.layers.Dense(size)


class Body(tf.keras.layers.Layer):
    """Two layers."""

    def __init__(self, make=dense):
        super().__init__()
        self.first = make(4)
        self.second = make(3)

    def call(self, x):
        return self.second(self.first(x))


def network():
    body = Body()
    x = tf.keras.Input((5,))
    return tf.keras.Model(x, tf.keras.layers.Dense(2, name="out")(body(x)))
