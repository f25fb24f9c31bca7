"""The step counter of a training loop."""

import tensorflow as tf
from tensorflow import keras


def build_model():
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(2),
        ]
    )


def build():
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    return tf.train.Checkpoint(model=build_model(), step=step)
