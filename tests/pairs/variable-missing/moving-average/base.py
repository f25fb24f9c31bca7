"""A loop of training keeps a moving average of its weights beside them."""

import tensorflow as tf
from tensorflow import keras


def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
    average = [tf.Variable(tf.zeros(weight.shape), trainable=False) for weight in model.weights]
    return tf.train.Checkpoint(model=model, average=average)
