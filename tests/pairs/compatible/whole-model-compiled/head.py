"""A compiled model in an .h5: Keras 2 loads the optimizer's state with it, Keras 3 makes an optimizer without slots."""

import tensorflow as tf

LOAD = {"whole_model": True}


def build():
    inputs = tf.keras.Input((4,))
    x = tf.keras.layers.Dense(5)(inputs)
    x = tf.keras.layers.Dropout(0.2)(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(x))
    model.compile(tf.keras.optimizers.Adam(0.001), loss=tf.keras.losses.MeanSquaredError())
    return model
