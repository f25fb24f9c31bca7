"""Models.

old table
"""
import tensorflow as tf
from .common import conv
def build():
    i = tf.keras.Input((8, 8, 3))
    x = conv(i, 4, "a")
    return tf.keras.Model(i, conv(x, 6, "b"))
