import tensorflow as tf

from .layers import Gate


def chain(*units):
    x = inputs = tf.keras.Input((4,))
    for size in units:
        x = Gate(size)(x)
    return tf.keras.Model(inputs, tf.keras.layers.Dense(2, name="out")(x))


def build_small():
    return chain(3)


def build_large():
    return chain(9)


def build_deep():
    return chain(4, 4, 4, 4)


def build_plain():
    return chain()


def build_twin():
    return chain(3, 3)
