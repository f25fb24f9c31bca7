import tensorflow as tf

from .ops import conv, layers, stage
from .plan import CLASSES, STAGES


def build(stem=4):
    """Returns the network.

    Its stages are listed in plan.py.
    """
    image = tf.keras.Input((8, 8, 3))
    x = conv(image, stem, name="stem")
    for number, (filters, blocks) in enumerate(STAGES):
        x = stage(x, filters, blocks, f"stage_{number}")
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(16, activation="relu", name="hidden")(x)
    x = layers.Dense(CLASSES, name="logits")(x)
    return tf.keras.Model(image, x)
