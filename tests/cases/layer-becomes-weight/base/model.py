import tensorflow as tf
from . import a_version
from .layers import Linear
def build():
    i = tf.keras.Input((4,))
    return tf.keras.Model(i, Linear(name="linear")(i))
