"""What a feature is looked up by, beside its vectors."""

import tensorflow as tf


def build():
    return {
        "lookup": tf.keras.layers.StringLookup(),
        "vectors": tf.Variable(tf.random.normal((9, 2))),
    }
