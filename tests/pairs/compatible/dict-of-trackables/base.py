"""A dict of trackables, its keys in another order."""

import tensorflow as tf
from tensorflow import keras


def build():
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dropout(0.5)])
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    return {"model": model, "step": step}
