import tensorflow as tf


class Tower(tf.keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = tf.keras.layers.Dense(units, activation="relu")
        self.project = tf.keras.layers.Dense(
            units,
            activation=None,
            use_bias=True,
        )

    def call(self, x):
        return self.project(self.hidden(x))
