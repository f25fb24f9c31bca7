"""Pieces of a network, as functions."""

import tensorflow as tf

layers = tf.keras.layers


def conv(x, filters, kernel=3, bias=False, name=None):
    """A convolution and its normalisation."""
    x = layers.Conv2D(filters, kernel, padding="same", use_bias=bias, name=name + "_conv")(x)
    return layers.BatchNormalization(name=name + "_norm")(x)


def residual(x, filters, name, kernel=3):
    y = conv(x, filters, kernel, name=name + "_a")
    y = conv(y, filters, kernel, name=name + "_b")
    return layers.Add()([x, y])


def stage(x, filters, blocks, name):
    """Brings x to the number of filters, then adds to it."""
    x = conv(x, filters, 1, name=name + "_in")
    for block in range(blocks):
        x = residual(x, filters, f"{name}_{block}")
    return x
