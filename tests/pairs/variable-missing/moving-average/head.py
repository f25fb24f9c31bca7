"""A loop of training keeps a moving average of its weights beside them."""

import tensorflow as tf
from tensorflow import keras


def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
    return tf.train.Checkpoint(model=model)  # finding: variable-missing
