"""A layer's default is another one, and an old .h5 does not say how many units it had."""

import tensorflow as tf

LOAD = {"whole_model": True, "custom_objects": ["pair_model:Block"]}


class Block(tf.keras.layers.Layer):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = tf.keras.layers.Dense(units, activation="relu")

    def build(self, shape):
        self.dense.build(shape)
        self.built = True

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return super().get_config()


def build():
    inputs = tf.keras.Input((4,))
    return tf.keras.Model(inputs, Block(3)(tf.keras.layers.Dense(5)(inputs)))
