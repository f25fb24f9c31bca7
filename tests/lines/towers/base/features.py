"""What is known of users and items."""

import tensorflow as tf

DIM = 4
FEATURES = {
    "user": 50,
    "item": 70,
    "shop": 20,
}


def table(name, size, dim=DIM):
    return tf.keras.layers.Embedding(size, dim, name=f"{name}_table")


def tables():
    """One table a feature."""
    return {name: table(name, size) for name, size in FEATURES.items()}
