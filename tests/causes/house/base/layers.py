import tensorflow as tf


class Gate(tf.keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.open = tf.keras.layers.Dense(units, activation="sigmoid")
        self.body = tf.keras.layers.Dense(units)

    def call(self, x):
        return self.open(x) * self.body(x)
