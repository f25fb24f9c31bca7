"""With `compile=False` the optimizer's state stays in the .h5."""

import tensorflow as tf

LOAD = {"whole_model": True, "compile": False}


def build():
    inputs = tf.keras.Input((4,))
    x = tf.keras.layers.Dense(5)(inputs)
    x = tf.keras.layers.Dropout(0.1)(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(x))
    model.compile(tf.keras.optimizers.Adam(0.01), loss=tf.keras.losses.MeanSquaredError())
    return model
